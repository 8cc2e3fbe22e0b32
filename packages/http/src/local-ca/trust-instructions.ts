/** How to let something trust a CA. */
export interface TrustInstruction {
  readonly who: string
  readonly how: string
}

/**
 * The ways to trust the CA in this file, each a command to paste or clicks to make. Nothing here
 * does so by itself: what this machine trusts is its owner's to decide.
 */
export function trustInstructions(caFile: string, url: string): readonly TrustInstruction[] {
  const file = /^[A-Za-z0-9_./:\\@%+,-]+$/.test(caFile) ? caFile : `"${caFile}"`
  return [
    { who: 'curl', how: `curl --cacert ${file} ${url}` },
    { who: 'Node', how: `NODE_EXTRA_CA_CERTS=${file} node app.js` },
    {
      who: 'Debian, Ubuntu',
      how: `sudo cp ${file} /usr/local/share/ca-certificates/scopegate-local.crt && sudo update-ca-certificates`,
    },
    {
      who: 'Chrome on Linux',
      how: `certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n scopegate-local -i ${file}  (package libnss3-tools)`,
    },
    {
      who: 'macOS',
      how: `security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db ${file}`,
    },
    { who: 'Windows', how: `certutil -user -addstore Root ${file}` },
    {
      who: 'Firefox',
      how: `Settings > Privacy & Security > View Certificates > Authorities > Import: ${file}`,
    },
    { who: 'Postman', how: `Settings > Certificates > CA certificates: ${file}` },
  ]
}
