import { hostname } from 'node:os';
import type { ArtifactStore } from '@caricature/artifacts';
import type { StageAssignment } from '@caricature/contracts';

const MOST_BYTES = 2 ** 20;

type Stream = Pick<NodeJS.WriteStream, 'write'>;

/** Remembers the end of what this process writes, so that it outlives the pod: a node may take its logs along. */
export class KeptLog {
  private readonly chunks: Buffer[] = [];
  private bytes = 0;

  constructor(streams: Stream[]) {
    for (const stream of streams) this.listen(stream);
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }

  /** Puts it beside the artifacts, by the attempt and the machine. A store that is away is no reason to fail. */
  async keep(store: Pick<ArtifactStore, 'put'>, { owner, job }: StageAssignment): Promise<void> {
    await store.put(`logs/${owner.uid}/${job}/${hostname()}.txt`, Buffer.from(this.text)).catch(() => undefined);
  }

  private listen(stream: Stream): void {
    const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
    stream.write = ((chunk: string | Uint8Array, ...rest: unknown[]) => {
      this.add(Buffer.from(chunk as string));
      return write(chunk, ...rest);
    }) as Stream['write'];
  }

  private add(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.bytes += chunk.length;
    while (this.bytes > MOST_BYTES && this.chunks.length > 1) this.bytes -= this.chunks.shift()!.length;
  }
}
