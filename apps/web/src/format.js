const UNITS = [['d', 86_400], ['h', 3600], ['min', 60], ['s', 1]];

/** 3,725 → `1 h 2 min`: the two largest units. */
export function duration(seconds) {
  let rest = Math.max(0, Math.round(seconds));
  if (rest === 0) return '0 s';
  const parts = [];
  for (const [unit, size] of UNITS) {
    if (rest >= size && parts.length < 2) parts.push(`${Math.floor(rest / size)} ${unit}`);
    else if (parts.length > 0) break;
    rest %= size;
  }
  return parts.join(' ');
}

/** How long ago, in the largest unit. */
export function age(time) {
  const seconds = Math.max(0, (Date.now() - Date.parse(time)) / 1000);
  const [unit, size] = UNITS.find(([, s]) => seconds >= s) ?? ['s', 1];
  return `${Math.floor(seconds / size)} ${unit}`;
}

/** Four digits that mean something, whatever the size. */
export function number(value) {
  if (value === null || value === undefined) return '–';
  if (Number.isInteger(value)) return value.toLocaleString('en');
  const size = Math.abs(value);
  return size !== 0 && (size < 0.001 || size >= 100_000) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}

export function bytes(value) {
  const unit = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = value > 0 ? Math.min(4, Math.floor(Math.log10(value) / 3)) : 0;
  return `${number(Number((value / 1000 ** power).toPrecision(3)))} ${unit[power]}`;
}

/** `traitAgreement` → `Trait agreement`. */
export function words(name) {
  const spaced = name.replaceAll(/([a-z])([A-Z0-9])/g, '$1 $2').replaceAll(/[-_./]+/g, ' ').toLowerCase();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
