import { Module } from '@nestjs/common'

/** The replayer's one module; see service.ts for why it holds nothing. */
@Module({})
export class ReplayerModule {}
