/** Builds the images that a cluster of tests needs, unless the present sources are built already: folders of OCI layouts. */
export function bringImages(options: { log: (line: string) => void }): Promise<string[]>;

/** Builds them and makes them known to this machine's cluster. */
export function bringImagesToCluster(options: { log: (line: string) => void }): Promise<void>;
