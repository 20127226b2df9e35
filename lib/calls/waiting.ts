import type { CallState } from './state';

interface Waiting<Call> {
  readonly call: Call;
  readonly at: number;
}

/** Calls that wait for their time. All wait equally long, so the first to come is the first due. */
export class WaitingLine<Call = CallState> {
  private line: Waiting<Call>[] = [];

  /** When the first is due; `undefined`: none waits. */
  get next(): number | undefined {
    return this.line[0]?.at;
  }

  add(call: Call, at: number): void {
    this.line.push({ call, at });
  }

  /** For those that come from an earlier process, in any order. */
  sort(): void {
    this.line.sort((one, other) => one.at - other.at);
  }

  /** Removes and returns those that are due. A call may be among them more than once. */
  due(at: number): readonly Waiting<Call>[] {
    const first = this.line.findIndex((one) => one.at > at);
    return this.line.splice(0, first < 0 ? this.line.length : first);
  }
}
