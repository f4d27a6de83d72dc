/** What the chart's `helm test` runs in the image, where the pod is reached at `address`. */
export function helmTest(address: string, port: string): readonly string[] {
  return [
    'node',
    'apps/cli/dist/main.js',
    'smoke',
    '--listen',
    `0.0.0.0:${port}`,
    '--reached-at',
    `http://${address}:${port}`,
  ]
}
