/** Below it lies all that the attempts of a resource have said. */
export function logsPrefix(ownerUid: string): string {
  return `logs/${ownerUid}`;
}

/** Where the log of an attempt is kept once it has ended. */
export function logObject(ownerUid: string, job: string): string {
  return `${logsPrefix(ownerUid)}/${job}.txt`;
}

/** Below it lie the logs that the attempt's pods have put there themselves before they went. */
export function podLogsPrefix(ownerUid: string, job: string): string {
  return `${logsPrefix(ownerUid)}/${job}/`;
}
