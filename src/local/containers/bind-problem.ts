/** Why an address or port cannot be opened, and what helps, in the words of a container event. Pure. */
export function bindProblem(code: string, address: string, port: number, platform: string): string {
  const cannot = `Error: cannot listen on ${address}:${port} (${code}): `;
  switch (code) {
    case 'EADDRNOTAVAIL':
      return `${cannot}this machine has no address ${address}. ${
        platform === 'darwin'
          ? `Remedy: sudo ifconfig lo0 alias ${address} up`
          : `Remedy: add it to the loopback device (macOS: sudo ifconfig lo0 alias ${address} up)`
      }`;
    case 'EACCES':
      return `${cannot}this user may not open ports below 1024. Remedy: declare a port from 1024 on${
        platform === 'linux' ? ', or run: sudo sysctl net.ipv4.ip_unprivileged_port_start=0' : ''
      }`;
    case 'EADDRINUSE':
      return `${cannot}another process uses it. Remedy: find it with: lsof -nP -iTCP:${port} -sTCP:LISTEN, and end it`;
    default:
      return `${cannot}the system refused it`;
  }
}
