import { AppError } from '@olytix/errors'

export function emailTaken(email: string): AppError {
  return new AppError('CONFLICT', `There is already an account with the address ${email}`)
}

export function userNotFound(): AppError {
  return new AppError('NOT_FOUND', 'There is no such user')
}

export function lastAdmin(): AppError {
  return new AppError(
    'CONFLICT',
    'Nobody would be left who may manage users: this is the last admin',
  )
}

export function roleNotFound(): AppError {
  return new AppError('NOT_FOUND', 'There is no such role')
}

export function roleBuiltIn(name: string): AppError {
  return new AppError('CONFLICT', `The role ${name} comes with the product and cannot be changed`)
}

export function roleInUse(name: string): AppError {
  return new AppError('CONFLICT', `The role ${name} is still given to a user or a key`)
}
