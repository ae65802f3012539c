export interface Description {
  inputShape: number[];
  layers: { kind: string; name: string }[];
}

export interface Plan {
  network: string;
  batchSize: number;
  f: Description;
  g?: Description;
  D?: Description;
  head?: Description;
}

export function forwardFlops(description: Description): number[];
export function stepFlops(plan: Plan): number;
