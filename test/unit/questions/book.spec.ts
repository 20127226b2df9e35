import assert from 'node:assert/strict';
import { QuestionBook } from '../../../lib/questions/book';
import { FakeClock } from '../../support/fake-clock';

/** A book and everything its questions were settled with, in order. */
function setUp(limit = 10) {
  const clock = new FakeClock();
  const late: string[] = [];
  const book = new QuestionBook<string>({ clock, deadlineMs: 3000, limit, onLate: (action) => late.push(action) });
  const settled: (string | undefined)[] = [];
  const ask = (action = 'route') => book.ask({ action, settle: (answer) => void settled.push(answer) });
  return { clock, book, settled, late, ask };
}

describe('the questions that wait', () => {
  it('are each told the deadline once, when nobody answered', () => {
    const { clock, book, settled, late, ask } = setUp();
    ask();
    clock.advance(2999);
    assert.deepEqual(settled, []);
    clock.advance(1);
    assert.deepEqual(settled, [undefined]);
    assert.deepEqual(late, ['route']);
    assert.equal(book.size, 0);
  });

  it('are open until they are taken, and only once', () => {
    const { clock, book, settled, ask } = setUp();
    const id = ask('test')!;
    const question = book.take(id)!;
    assert.equal(question.action, 'test');
    question.settle('yes');
    assert.equal(book.take(id), undefined);
    clock.advance(10_000);
    assert.deepEqual(settled, ['yes']);
    assert.equal(clock.running, 0);
  });

  it('are never named twice the same, so that an old message cannot answer a new question', () => {
    const { ask } = setUp();
    assert.notEqual(ask(), ask());
    assert.notEqual(ask(), setUp().ask());
  });

  it('tell nobody anything when the asker went away', () => {
    const { clock, book, settled, late, ask } = setUp();
    book.forget(ask()!);
    clock.advance(10_000);
    assert.deepEqual([settled, late, clock.running], [[], [], 0]);
  });

  it('are not taken in beyond the bound, and again when there is room', () => {
    const { book, ask } = setUp(2);
    const first = ask()!;
    ask();
    assert.equal(ask(), undefined);
    book.forget(first);
    assert.notEqual(ask(), undefined);
  });

  it('are all told when the book closes, and none is taken in any more', () => {
    const { clock, book, settled, late, ask } = setUp();
    ask();
    ask();
    book.close();
    book.close();
    assert.deepEqual(settled, [undefined, undefined]);
    assert.deepEqual(late, []);
    assert.equal(ask(), undefined);
    assert.equal(clock.running, 0);
  });
});
