/** Orchestration versions: which instances this host may run. Follows DurableTask's `VersioningSettings`. */

export type VersionMatchStrategy = 'None' | 'Strict' | 'CurrentOrOlder';

/** Negative, 0 or positive. Empty is the lowest; dotted numbers compare by part, anything else by text without regard to case. */
export function compareVersions(left: string, right: string): number {
  const a = left.trim();
  const b = right.trim();
  if (a === '' || b === '') return Number(a !== '') - Number(b !== '');
  const [x, y] = [parts(a), parts(b)];
  if (x && y) {
    for (let i = 0; i < 4; i++) {
      const difference = (x[i] ?? -1) - (y[i] ?? -1);
      if (difference !== 0) return difference;
    }
    return 0;
  }
  const [l, r] = [a.toUpperCase(), b.toUpperCase()];
  return l < r ? -1 : l > r ? 1 : 0;
}

/** .NET's `System.Version`: two to four numbers. */
function parts(version: string): number[] | undefined {
  return /^\d+(\.\d+){1,3}$/.test(version) ? version.split('.').map(Number) : undefined;
}

/** Whether a host with `hostVersion` runs an instance of `version`; otherwise the instance waits as it is. */
export function mayRun(
  strategy: VersionMatchStrategy,
  version: string | null,
  hostVersion: string | undefined,
): boolean {
  switch (strategy) {
    case 'None':
      return true;
    case 'Strict':
      return (version ?? '') === (hostVersion ?? '');
    case 'CurrentOrOlder':
      return compareVersions(version ?? '', hostVersion ?? '') <= 0;
  }
}
