import { describe, expect, it } from 'vitest';
import { readInferenceEnv } from './inference.env.js';

describe("the server's environment", () => {
  it('needs nothing on one machine', () => {
    expect(readInferenceEnv({})).toMatchObject({ PORT: 3100, HOST: '127.0.0.1', MODEL: 'caricature@staging', MAX_QUEUE: 32 });
  });

  it('asks for a token where other machines can reach it, unless everybody may', () => {
    expect(() => readInferenceEnv({ HOST: '0.0.0.0' })).toThrow(/API_TOKEN: must be set/);
    expect(readInferenceEnv({ HOST: '0.0.0.0', API_TOKEN: 'a-long-secret' }).HOST).toBe('0.0.0.0');
    expect(readInferenceEnv({ HOST: '0.0.0.0', ALLOW_ANONYMOUS: 'true' }).ALLOW_ANONYMOUS).toBe(true);
  });

  it('names every variable that is wrong', () => {
    expect(() => readInferenceEnv({ PORT: 'x', MODEL: 'Faces' })).toThrow(/PORT: [\s\S]*MODEL: must be name@alias/);
  });
});
