/** Converts between the engine's JSON texts and what triggers and their answers carry. Pure. */
import type { RpcTypedData } from '../rpc.ts';
import type { ReplayLimits } from './flows.ts';
import type { InstanceRecord } from './store.ts';

/** `d.hh:mm:ss`, the text of a .NET TimeSpan. */
export function netTimeSpan(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (n: number) => String(n).padStart(2, '0');
  const clock = `${two(Math.floor(seconds / 3600) % 24)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  const days = Math.floor(seconds / 86_400);
  return days > 0 ? `${days}.${clock}` : clock;
}

/**
 * The orchestration trigger's JSON. `history` is the joined texts of all events; `isReplaying` is false in the first turn of a generation.
 * Schema version 3 means V4; the misspelt last name is the SDK's.
 */
export function orchestrationPayload(
  record: InstanceRecord,
  history: string,
  isReplaying: boolean,
  limits: ReplayLimits,
): string {
  const parent = record.parent?.OrchestrationInstance.InstanceId ?? null;
  return (
    `{"history":[${history}],"input":${record.input ?? 'null'},"instanceId":${JSON.stringify(record.instanceId)},` +
    `"isReplaying":${isReplaying},"parentInstanceId":${JSON.stringify(parent)},"upperSchemaVersion":1,"upperSchemaVersionNew":3,` +
    `"longRunningTimerIntervalDuration":"${netTimeSpan(limits.longTimerIntervalMs)}",` +
    `"maximumShortTimerDuration":"${netTimeSpan(limits.maximumShortTimerMs)}",` +
    `"defaultHttpAsyncRequestSleepTimeMillseconds":${limits.httpPollMs}}`
  );
}

export interface ActivityTrigger {
  readonly data: RpcTypedData;
  readonly metadata: Readonly<Record<string, RpcTypedData>>;
}

/**
 * What an activity is handed. The extension converts a JSON token to a string: texts stay, booleans become `True` and `False` (which do not
 * parse back), null is no data at all. `input` is JSON text or null.
 */
export function activityTrigger(instanceId: string, input: string | null): ActivityTrigger {
  const metadata = { instanceId: { string: instanceId } };
  if (input === null || input === 'null') return { data: {}, metadata };
  return { data: { string: tokenText(input) }, metadata: { ...metadata, data: { json: input } } };
}

function tokenText(input: string): string {
  if (input === 'true') return 'True';
  if (input === 'false') return 'False';
  return input.startsWith('"') ? (JSON.parse(input) as string) : input;
}

/** JSON text of an activity's return value, or null for none. */
export function activityResult(data: RpcTypedData | null | undefined): string | null {
  if (!data) return null;
  if (data.json !== undefined && data.json !== null) return data.json === 'null' ? null : data.json;
  if (data.string !== undefined && data.string !== null) return JSON.stringify(data.string);
  const number = data.int ?? data.double;
  if (number !== undefined && number !== null) return Number.isFinite(number) ? JSON.stringify(number) : null;
  const bytes = data.bytes ?? data.stream;
  if (bytes) return JSON.stringify(Buffer.from(bytes).toString('base64'));
  return data.collectionString ? JSON.stringify(data.collectionString.string ?? []) : null;
}
