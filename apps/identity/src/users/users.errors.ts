import { AppError } from '@olytix/errors'

export function emailTaken(email: string): AppError {
  return new AppError('CONFLICT', `There is already an account with the address ${email}`)
}
