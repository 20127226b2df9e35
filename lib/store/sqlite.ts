import { Database } from 'node-sqlite3-wasm';
import type { Statement } from 'node-sqlite3-wasm';

/*
 * The only file that knows the library: `node:sqlite` can take its place here once Node 20 is left behind.
 * What is measured of node-sqlite3-wasm 0.8.60, and worked around below:
 * - its lock is a folder `<file>.lock`, which outlives a killed process: see owner.ts;
 * - after a crash a rollback journal is not rolled back; WAL is, and works only with EXCLUSIVE set before the first access;
 * - `Statement.get` leaves the statement open at its first row, and with it a read transaction: only `all` is used;
 * - a statement that failed once fails at its next use too: it is thrown away;
 * - text is cut at a NUL: callers refuse it;
 * - an error that nobody catches prints 30 kB of source: each call is wrapped.
 */

type SqlValue = string | number | null;
/** A row of an answer, by the names of its columns. */
export type Row = Readonly<Record<string, SqlValue>>;

/** What a failure calls for: `data` = the file is damaged, `disk` = reading or writing failed, `lock` = somebody else has it. */
type SqlErrorKind = 'data' | 'disk' | 'lock' | 'other';

const KINDS: readonly (readonly [RegExp, SqlErrorKind])[] = [
  [/malformed|not a database/i, 'data'],
  [/disk i\/o error|disk is full|unable to open|could not open|readonly database/i, 'disk'],
  [/database is locked/i, 'lock'],
];

/** What the library threw, with its text cut to 200 characters, and what it calls for. */
export class SqlError extends Error {
  readonly kind: SqlErrorKind;

  constructor(thrown: unknown) {
    const text = (thrown instanceof Error ? thrown.message : String(thrown)).slice(0, 200);
    super(text);
    this.kind = KINDS.find(([pattern]) => pattern.test(text))?.[1] ?? 'other';
  }
}

const MAX_STATEMENTS = 128;

/** One open file. All calls are synchronous and throw {@link SqlError}. */
export class Sqlite {
  private readonly statements = new Map<string, Statement>();
  private constructor(private readonly db: Database) {}

  /** Opens the file, or makes it; `:memory:` = none. */
  static open(file: string): Sqlite {
    return wrapped(() => new Sqlite(new Database(file)));
  }

  exec(sql: string): void {
    wrapped(() => this.db.exec(sql));
  }

  /** @returns how many rows changed */
  run(sql: string, values: readonly SqlValue[] = []): number {
    return this.use(sql, (statement) => statement.run([...values]).changes);
  }

  all(sql: string, values: readonly SqlValue[] = []): Row[] {
    return this.use(sql, (statement) => statement.all([...values]) as Row[]);
  }

  /** The first column of the first row; `undefined` without rows. */
  value(sql: string, values: readonly SqlValue[] = []): SqlValue | undefined {
    const [row] = this.all(sql, values);
    return row && Object.values(row)[0];
  }

  /** Id of the row that the last INSERT made. */
  lastId(): number {
    return Number(this.value('SELECT last_insert_rowid()'));
  }

  /** Whether a BEGIN waits for its COMMIT or ROLLBACK. */
  get inTransaction(): boolean {
    return this.db.inTransaction;
  }

  /** Never throws: what cannot be closed well is found at the next opening. */
  close(): void {
    // One that is left would keep the file locked.
    for (const statement of this.statements.values()) quietly(() => statement.finalize());
    this.statements.clear();
    quietly(() => this.db.close());
  }

  private use<T>(sql: string, work: (statement: Statement) => T): T {
    return wrapped(() => {
      const statement = this.statements.get(sql) ?? this.prepare(sql);
      try {
        return work(statement);
      } catch (thrown) {
        this.statements.delete(sql);
        const error = new SqlError(thrown);
        quietly(() => statement.finalize());
        throw error;
      }
    });
  }

  private prepare(sql: string): Statement {
    const [oldest] = this.statements;
    if (oldest && this.statements.size >= MAX_STATEMENTS) {
      this.statements.delete(oldest[0]);
      quietly(() => oldest[1].finalize());
    }
    const statement = this.db.prepare(sql);
    this.statements.set(sql, statement);
    return statement;
  }
}

function wrapped<T>(work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw thrown instanceof SqlError ? thrown : new SqlError(thrown);
  }
}

function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // It is thrown away in any case.
  }
}
