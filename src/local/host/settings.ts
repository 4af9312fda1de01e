/** App settings: `%NAME%` in trigger options stands for the setting (environment variable) NAME. */

export type Settings = Readonly<Record<string, string | undefined>>;

export type Resolved = { readonly ok: true; readonly value: string } | { readonly ok: false; readonly missing: string };

/** Replaces every `%NAME%`; the first name without a value is reported. */
export function resolveSettings(text: string, settings: Settings): Resolved {
  let missing: string | undefined;
  const value = text.replace(/%([^%]+)%/g, (_whole, name: string) => {
    const found = settings[name];
    if (found === undefined) missing ??= name;
    return found ?? '';
  });
  return missing === undefined ? { ok: true, value } : { ok: false, missing };
}
