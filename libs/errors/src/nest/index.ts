export { fromGrpcError, toGrpcError } from '../grpc-status.js'
export { GrpcErrorFilter } from './grpc-error.filter.js'
export { HttpErrorFilter } from './http-error.filter.js'
