/** The value of a `durableClient` input binding, and the links of one instance. Pure. */

export interface WebhookSettings {
  /** Scheme and authority, e.g. `http://localhost:7071`. */
  readonly origin: string;
  readonly hubName: string;
  /** System key of the webhook, sent as `code`. */
  readonly systemKey: string;
}

export const webhookPath = '/runtime/webhooks/durabletask';
export const rpcPath = '/durabletask';

export interface InstanceLinks {
  readonly id: string;
  readonly statusQueryGetUri: string;
  readonly sendEventPostUri: string;
  readonly terminatePostUri: string;
  readonly rewindPostUri: string;
  readonly purgeHistoryDeleteUri: string;
  readonly restartPostUri: string;
  readonly suspendPostUri: string;
  readonly resumePostUri: string;
}

/** `origin` is the request's own where there is one. */
export function instanceLinks(settings: WebhookSettings, origin: string, instanceId: string): InstanceLinks {
  const prefix = `${origin}${webhookPath}/instances/${encodeURIComponent(instanceId)}`;
  const query = `taskHub=${encodeURIComponent(settings.hubName)}&connection=Storage&code=${settings.systemKey}`;
  const operation = (name: string) => `${prefix}/${name}?reason={text}&${query}`;
  return {
    id: instanceId,
    statusQueryGetUri: `${prefix}?${query}`,
    sendEventPostUri: `${prefix}/raiseEvent/{eventName}?${query}`,
    terminatePostUri: operation('terminate'),
    rewindPostUri: operation('rewind'),
    purgeHistoryDeleteUri: `${prefix}?${query}`,
    restartPostUri: `${prefix}/restart?${query}`,
    suspendPostUri: operation('suspend'),
    resumePostUri: operation('resume'),
  };
}

/** `rpcOrigin`: where the client sends its calls; the real extension listens on a port of its own. */
export function durableClientBinding(settings: WebhookSettings, rpcOrigin: string): Record<string, unknown> {
  const base = `${settings.origin}${webhookPath}`;
  const create = `${base}/orchestrators/{functionName}[/{instanceId}]`;
  const code = `code=${settings.systemKey}`;
  return {
    taskHubName: settings.hubName,
    connectionName: null,
    creationUrls: {
      createNewInstancePostUri: `${create}?${code}`,
      createAndWaitOnNewInstancePostUri: `${create}?timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}&${code}`,
    },
    managementUrls: instanceLinks(settings, settings.origin, 'INSTANCEID'),
    baseUrl: base,
    requiredQueryStringParameters: code,
    rpcBaseUrl: `${rpcOrigin}${rpcPath}/`,
    httpBaseUrl: null,
    maxGrpcMessageSizeInBytes: null,
    grpcHttpClientTimeout: null,
  };
}
