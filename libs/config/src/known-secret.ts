/**
 * Texts that documentation, samples and tutorials use as a secret, without blanks and punctuation, in lower case.
 * Lists of them are public: whoever uses one has none.
 */
const SAMPLES = [
  'changeme',
  'changethis',
  'replaceme',
  'replacewith',
  'yoursecret',
  'your256bitsecret',
  'your384bitsecret',
  'your512bitsecret',
  'yoursupersecret',
  'supersecret',
  'secretkey',
  'mysecret',
  'jwtsecret',
  'masterkey',
  'notasecret',
  'thisisasecret',
  'thisismysecret',
  'generatethis',
  'insecure',
  'placeholder',
  'password',
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890123456789',
  '0123456789abcdef0123456789abcdef',
  'deadbeef',
]

/** Whether a text is, or is built around, one that is printed somewhere, or repeats a short piece. */
export function isKnownSecret(text: string): boolean {
  const plain = text.toLowerCase().replace(/[^a-z0-9]/g, '')
  return SAMPLES.some((sample) => plain.includes(sample)) || isRepetition(text)
}

function isRepetition(text: string): boolean {
  const period = (text + text).indexOf(text, 1)
  return period < text.length || /^(.{1,16}?)\1+.{0,15}$/s.test(text)
}
