import type { UserMapping } from './types';

/** The table extension <-> CRM user, as the admin filled it. The first line of a user or an extension counts. */
export class Directory {
  private readonly byUser = new Map<string, UserMapping>();
  private readonly byExtension = new Map<string, UserMapping>();

  constructor(lines: readonly UserMapping[]) {
    for (const line of lines) {
      const [extension, userId] = [line.extension.trim(), line.userId.trim()];
      // A line that is only half filled in maps nothing yet.
      if (extension === '' || userId === '') continue;
      const entry = { ...line, extension, userId };
      if (!this.byUser.has(userId)) this.byUser.set(userId, entry);
      if (!this.byExtension.has(extension)) this.byExtension.set(extension, entry);
    }
  }

  get lines(): readonly UserMapping[] {
    return [...this.byUser.values()];
  }

  extensionOf(userId: string): string | undefined {
    return this.byUser.get(userId)?.extension;
  }

  userOf(extension: string): UserMapping | undefined {
    return this.byExtension.get(extension);
  }
}
