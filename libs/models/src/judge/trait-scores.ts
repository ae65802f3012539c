export interface TraitScores {
  /** Mean over the traits of the share of caricatures that show the person's true value. */
  traitAgreement: number;
  /** What the same readings would reach if they were dealt out to people at random. */
  traitAgreementChance: number;
  /** By trait name: agreement and chance. */
  traits: Record<string, { agreement: number; chance: number }>;
}

/**
 * Compares traits that the judge read with the true ones.
 * @param read one row of values an image
 * @param truth the same, −1 where unknown (left out)
 */
export function scoreTraits(read: number[][], truth: number[][], names: string[], applies: (trait: string, traits: Record<string, number>) => boolean = () => true): TraitScores {
  const traits: TraitScores['traits'] = {};
  names.forEach((name, t) => {
    const rows = truth.map((row, i) => ({ truth: row[t]!, read: read[i]![t]!, counts: row[t]! >= 0 && applies(name, record(names, row)) })).filter((row) => row.counts);
    if (rows.length === 0) return;
    const agreement = rows.filter((row) => row.read === row.truth).length / rows.length;
    traits[name] = { agreement, chance: chanceOf(rows) };
  });
  const scores = Object.values(traits);
  const mean = (pick: 'agreement' | 'chance') => scores.reduce((sum, score) => sum + score[pick], 0) / Math.max(1, scores.length);
  return { traitAgreement: mean('agreement'), traitAgreementChance: mean('chance'), traits };
}

function chanceOf(rows: { truth: number; read: number }[]): number {
  const share = (value: number, of: 'truth' | 'read') => rows.filter((row) => row[of] === value).length / rows.length;
  return [...new Set(rows.map((row) => row.truth))].reduce((sum, value) => sum + share(value, 'truth') * share(value, 'read'), 0);
}

function record(names: string[], row: number[]): Record<string, number> {
  return Object.fromEntries(names.map((name, i) => [name, row[i]!]));
}
