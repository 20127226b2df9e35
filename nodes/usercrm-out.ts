import type { Node, NodeDef, NodeInitializer, NodeMessage } from 'node-red';
import { answerShapes, readAnswer } from '../lib/questions/answer';
import type { FlowAnswer } from '../lib/questions/answer';
import { questionError } from '../lib/questions/errors';
import { onClose, onInput } from './runtime/lifecycle';
import { takeQuestion } from './runtime/questions';
import { propertyOf, textOf } from './runtime/settings';
import { StatusLine } from './runtime/status';

interface UserCrmOutDef extends NodeDef {
  /** Where in the message the answer stands. */
  readonly property?: string;
}

/** What becomes of an order after its asker was answered is told too: it passes. */
const AFTERWARDS: readonly unknown[] = ['order_progress', 'order_outcome', 'orders'];

/** Who waits for the outcome of an order, as `usercrm-in` wrote it into the order's data, and how far that has come. */
function askerInData(payload: unknown): { readonly id: unknown; readonly state: unknown } | undefined {
  const { data, state } = (payload ?? {}) as {
    readonly data?: { readonly usercrm?: unknown } | null;
    readonly state?: unknown;
  };
  const id = data?.usercrm;
  return id === undefined ? undefined : { id, state };
}

/** The last answer as a status: the extension itself, or what it came to. */
function summary(answer: FlowAnswer): string {
  if (answer.kind !== 'route') return `usercrm-out.status.${answer.kind === 'failed' ? 'error' : 'answered'}`;
  return answer.answer.extension ?? `usercrm-out.status.${answer.answer.found ? 'name' : 'nobody'}`;
}

const init: NodeInitializer = (red) => {
  red.nodes.registerType('usercrm-out', function (this: Node, def: UserCrmOutDef) {
    red.nodes.createNode(this, def);
    const status = new StatusLine(this);
    const property = textOf(def.property) || 'contact';
    const trouble = (text: string): void =>
      status.setBase({ fill: 'yellow', shape: 'ring', text: `usercrm-out.status.${text}` });

    const answerIn = (action: string, msg: NodeMessage): FlowAnswer => {
      const answer = readAnswer(action, [propertyOf(red, msg, property), msg.payload]);
      if (answer) return answer;
      const shape = action === 'route' ? answerShapes.route : answerShapes.command;
      throw questionError('ANSWER_NOT_UNDERSTOOD', { property, shape });
    };

    onInput(red, this, (msg) => {
      const { usercrm, topic } = msg as { readonly usercrm?: { readonly id?: unknown }; readonly topic?: unknown };
      const waiting = askerInData(msg.payload);
      const isClientThere = topic === 'order_progress' && waiting?.state === 'answered';
      const id = usercrm?.id ?? (isClientThere ? waiting.id : undefined);
      if (typeof id !== 'string') {
        if (AFTERWARDS.includes(topic)) return;
        trouble('no-question');
        throw questionError('QUESTION_MISSING');
      }
      const question = takeQuestion(id);
      if (!question) {
        // The end of a call whose asker heard already that the client answered.
        if (AFTERWARDS.includes(topic) && waiting?.id === id) return;
        trouble('gone');
        throw questionError('QUESTION_GONE');
      }
      let answer: FlowAnswer;
      try {
        answer = answerIn(question.action, msg);
      } catch (thrown) {
        // The asker must not wait for a flow that has already said all it will say.
        question.settle(undefined);
        trouble('no-answer');
        throw thrown;
      }
      try {
        question.settle(answer);
      } catch (thrown) {
        trouble('refused');
        throw thrown;
      }
      status.setBase({ fill: 'green', shape: 'dot', text: summary(answer) });
    });
    onClose(red, this, () => status.close());
  });
};

export default init;
