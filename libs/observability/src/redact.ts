const PATTERNS = [
  /olytix-core_key_[0-9a-z]+/gi,
  /\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/g,
  /\brefresh_[A-Za-z0-9_-]+/g,
  /(postgres(?:ql)?:\/\/[^:@/\s]+:)[^@\s]+@/g,
]

/** Second net under "secrets are never logged": blots out everything that looks like one of our credentials. */
export function redact(text: string): string {
  return PATTERNS.reduce(
    (clean, pattern) =>
      clean.replace(pattern, (_whole, prefix: unknown) =>
        typeof prefix === 'string' ? `${prefix}[redacted]@` : '[redacted]',
      ),
    text,
  )
}
