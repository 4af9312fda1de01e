/** .NET TimeSpan texts, as host.json and timer schedules write durations. */

const pattern = /^(-)?(?:(\d+)\.)?(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,7}))?)?$/;

/** Milliseconds of `[-][d.]hh:mm[:ss[.fffffff]]`, or `undefined` when the text is none (a bare number of days is refused: it is nearly always a slip). */
export function timeSpanMs(text: string): number | undefined {
  const match = pattern.exec(text.trim());
  if (!match) return undefined;
  const [, sign, days = '0', hours = '0', minutes = '0', seconds = '0', fraction = '0'] = match;
  if (Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) return undefined;
  const whole = ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds);
  const ms = Math.round((whole + Number(`0.${fraction}`)) * 1000);
  return sign === undefined ? ms : -ms;
}
