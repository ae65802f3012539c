import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import type { S3Options } from '../s3/s3-artifact.store.js';
import { versitygwPath } from './versitygw.env.js';

export interface S3Server {
  /** Options for `createArtifactStore`. */
  options: S3Options;
  /** Folder that holds each bucket as a folder, to look at and damage objects behind S3's back. */
  folder: string;
  createBucket(name: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a real S3 server (versitygw over a temporary folder) on a free port of this machine. */
export async function startS3Server(): Promise<S3Server> {
  const binary = versitygwPath();
  if (!existsSync(binary)) {
    throw new Error(
      `The S3 server of the tests is missing: ${binary}. Install it with\n  GOBIN=${dirname(binary)} go install github.com/versity/versitygw/cmd/versitygw@v1.8.0`,
    );
  }
  const folder = await mkdtemp(join(tmpdir(), 'caricature-s3-'));
  const port = await freePort();
  const credentials = { accessKeyId: 'test-access', secretAccessKey: 'test-secret' };
  const child = spawn(
    binary,
    ['--access', credentials.accessKeyId, '--secret', credentials.secretAccessKey, '--port', `127.0.0.1:${port}`, '--quiet', 'posix', folder],
    { stdio: 'ignore' },
  );
  await untilListening(port, () => child.exitCode);
  const options: S3Options = { endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1', credentials, forcePathStyle: true };
  return {
    options,
    folder,
    createBucket: async (name) => {
      const client = new S3Client({ endpoint: options.endpoint!, region: 'us-east-1', credentials, forcePathStyle: true });
      await client.send(new CreateBucketCommand({ Bucket: name }));
      client.destroy();
    },
    stop: async () => {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A port of this machine that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function untilListening(port: number, exitCode: () => number | null): Promise<void> {
  for (let wait = 0; wait < 200; wait++) {
    if (exitCode() !== null) throw new Error(`versitygw ended with code ${exitCode()} before it listened.`);
    const socket = connect(port, '127.0.0.1');
    const open = await once(socket, 'connect').then(() => true, () => false);
    socket.destroy();
    if (open) return;
    await sleep(50);
  }
  throw new Error(`versitygw does not listen on port ${port} after 10 s.`);
}
