interface Claim<Holder> {
  readonly holder: Holder;
  readonly onTurn: (mine: boolean) => void;
}

/** Names that only one node can have at a time: the first who asks has it, the next gets its turn when that one leaves. */
export class Claims<Holder> {
  private readonly queues = new Map<string, Claim<Holder>[]>();

  holder(name: string): Holder | undefined {
    return this.queues.get(name)?.[0]?.holder;
  }

  /** Asks for a name until the returned function is called. `onTurn` tells at once whether it is ours, and later when it becomes so. */
  claim(name: string, holder: Holder, onTurn: (mine: boolean) => void): () => void {
    const claim = { holder, onTurn };
    const queue = this.queues.get(name) ?? [];
    this.queues.set(name, queue);
    queue.push(claim);
    onTurn(queue[0] === claim);
    return () => {
      const wasFirst = queue[0] === claim;
      const at = queue.indexOf(claim);
      if (at >= 0) queue.splice(at, 1);
      if (queue.length === 0) this.queues.delete(name);
      else if (wasFirst) queue[0]?.onTurn(true);
    };
  }
}
