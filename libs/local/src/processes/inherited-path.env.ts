/** Where a worker finds programs: the one variable that it inherits. */
export const inheritedPath = (): string => process.env['PATH'] ?? '/usr/bin:/bin';
