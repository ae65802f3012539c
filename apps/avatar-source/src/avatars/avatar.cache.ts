/** Keeps the most recently used avatars within a number of bytes. */
export class AvatarCache {
  private readonly entries = new Map<string, Buffer>(); // in order of use, oldest first
  private bytes = 0;

  constructor(private readonly maxBytes: number) {}

  find(key: string): Buffer | undefined {
    const png = this.entries.get(key);
    if (png) {
      this.entries.delete(key);
      this.entries.set(key, png);
    }
    return png;
  }

  add(key: string, png: Buffer): void {
    this.remove(key);
    this.entries.set(key, png);
    this.bytes += png.length;
    for (const oldest of this.entries.keys()) {
      if (this.bytes <= this.maxBytes) break;
      this.remove(oldest);
    }
  }

  get usedBytes(): number {
    return this.bytes;
  }

  private remove(key: string): void {
    this.bytes -= this.entries.get(key)?.length ?? 0;
    this.entries.delete(key);
  }
}
