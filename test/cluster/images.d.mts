/** Builds the images that a cluster of tests needs, unless the present sources are built already, and makes them known to this machine's cluster. */
export function bringImagesToCluster(options: { log: (line: string) => void }): Promise<void>;
