#!/usr/bin/env node
import { createReadStream, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { asError, TelephonyError } from '../errors';
import type { PbxMessage } from '../messages/types';
import { languageOf, replayError } from './errors';
import { PLAN_HELP, readPlan } from './plan';
import { Replay } from './replay';
import { TraceReader } from './trace-reader';

const HELP = `telephony-crm-replay [--records] [--plan PLAN] FILE

Reads a trace of what Asterisk sent over AMI and prints the events of its calls, one JSON object per line:
{"topic": "call_ringing", "payload": {…}}, as ami-event sends them in the mode "life of calls". FILE is what "Record a trace" of
ami-config writes: lines that begin with ";" are comments, then raw AMI with CR LF.

  --records     print only the payloads of call_record
  --plan PLAN   a JSON file with the numbering plan and the trunks:
${PLAN_HELP.replace(/^/gm, '                ')}
  --help        print this

Ends with the status 2 when FILE is not an AMI trace or cannot be read, and when the command line is wrong. Errors are in Russian or English, as
LC_ALL, LC_MESSAGES or LANG say.
`;

const reasonOf = (thrown: unknown): string => (thrown as { readonly code?: string }).code ?? asError(thrown).message;

function planText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    throw replayError('REPLAY_UNREADABLE', { file, reason: reasonOf(thrown) }, thrown);
  }
}

/** Waits while the reader of our output is slower than we are. */
async function print(messages: readonly PbxMessage[], recordsOnly: boolean): Promise<void> {
  for (const { topic, payload } of messages) {
    if (recordsOnly && topic !== 'call_record') continue;
    const line = `${JSON.stringify(recordsOnly ? payload : { topic, payload })}\n`;
    if (!process.stdout.write(line)) await new Promise((resolve) => process.stdout.once('drain', resolve));
  }
}

function badArguments(cause?: unknown): Error {
  return replayError('REPLAY_BAD_ARGUMENTS', { given: process.argv.slice(2).join(' ') || '—' }, cause);
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { records: { type: 'boolean' }, plan: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
  } catch (thrown) {
    throw badArguments(thrown);
  }
}

async function run(): Promise<void> {
  const { values, positionals } = readArguments();
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) throw badArguments();
  const planFile = values.plan;
  const replay = new Replay(planFile === undefined ? readPlan('') : readPlan(planFile, planText(planFile)));
  const trace = new TraceReader();
  const records = values.records === true;
  try {
    for await (const bytes of createReadStream(file)) {
      for (const message of trace.push(bytes as Buffer)) await print(replay.apply(message), records);
    }
  } catch (thrown) {
    if (thrown instanceof RangeError) throw replayError('REPLAY_NO_TRACE', { file }, thrown);
    throw replayError('REPLAY_UNREADABLE', { file, reason: reasonOf(thrown) }, thrown);
  }
  for (const message of trace.end()) await print(replay.apply(message), records);
  if (!trace.isTrace) throw replayError('REPLAY_NO_TRACE', { file });
  await print(replay.end(), records);
}

// Whoever reads us may have had enough: `| head`.
process.stdout.on('error', () => process.exit(0));
run().catch((thrown: unknown) => {
  const text = thrown instanceof TelephonyError ? thrown.textIn(languageOf(process.env)) : asError(thrown).message;
  const isWrongCall = thrown instanceof TelephonyError && thrown.code === 'REPLAY_BAD_ARGUMENTS';
  process.stderr.write(`telephony-crm-replay: ${text}\n${isWrongCall ? `\n${HELP}` : ''}`);
  process.exitCode = 2;
});
