declare module 'secp256k1/bindings.js' {
  const native: unknown
  export default native
}
