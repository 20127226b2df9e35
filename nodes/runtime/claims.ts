/** Hears whether the name is the claimant's, and who has it now. */
type OnTurn<Holder> = (mine: boolean, has: Holder) => void;

interface Claim<Holder> {
  readonly holder: Holder;
  readonly onTurn: OnTurn<Holder>;
}

/** Names that only one node can have at a time: the first who asks has it, the next gets its turn when that one leaves. */
export class Claims<Holder> {
  private readonly queues = new Map<string, Claim<Holder>[]>();

  holder(name: string): Holder | undefined {
    return this.queues.get(name)?.[0]?.holder;
  }

  /** Asks for a name until the returned function is called. `onTurn` tells at once whether it is ours, and later when it becomes so. */
  claim(name: string, holder: Holder, onTurn: OnTurn<Holder>): () => void {
    const claim = { holder, onTurn };
    const queue = this.queues.get(name) ?? [];
    this.queues.set(name, queue);
    queue.push(claim);
    const [first = claim] = queue;
    onTurn(first === claim, first.holder);
    return () => {
      const wasFirst = queue[0] === claim;
      const at = queue.indexOf(claim);
      if (at >= 0) queue.splice(at, 1);
      if (queue.length === 0) this.queues.delete(name);
      else if (wasFirst) queue[0]?.onTurn(true, queue[0].holder);
    };
  }
}
