/**
 * One reading for all who ask while the one before is under way: 200 who log in at once ask for the queues twice, not 200 times.
 * What anybody gets was read after he had asked, so that it holds what he did before.
 */
export class SharedRead<T> {
  private current: Promise<T> | undefined;
  private next: Promise<T> | undefined;

  constructor(private readonly read: () => Promise<T>) {}

  get(): Promise<T> {
    if (!this.current) return this.begin();
    this.next ??= this.current.then(
      () => this.begin(),
      () => this.begin(),
    );
    return this.next;
  }

  private begin(): Promise<T> {
    this.next = undefined;
    const reading = this.read();
    this.current = reading;
    const end = (): void => {
      if (this.current === reading) this.current = undefined;
    };
    reading.then(end, end);
    return reading;
  }
}
