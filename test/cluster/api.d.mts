export interface Access {
  url: string;
  ca: string;
  token: string;
}

/** Throws an error with `status` when the server refuses. */
export function callApi<T = unknown>(access: Access, method: string, path: string, body?: unknown, contentType?: string): Promise<T>;

/** Whether a health endpoint answers with 200. */
export function isHealthy(access: Access, path: string): Promise<boolean>;
