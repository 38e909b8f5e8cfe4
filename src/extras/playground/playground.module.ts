import { Inject, Module, type OnModuleInit } from '@nestjs/common';
import { UsersModule } from '../../accounts/users/users.module.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import { onOff } from '../../platform/config/formats.js';
import { defineSettings, type SettingsOf } from '../../platform/config/settings.js';
import { HomePage } from '../../web/pages/home-page.js';
import { PagesModule } from '../../web/pages/pages.module.js';
import { sharedBody } from '../../web/pages/shared-body.js';
import { playgroundPage } from './page.js';
import { PlaygroundController } from './playground.controller.js';

const settings = defineSettings({ PLAYGROUND: (production) => onOff.default(!production) });

declare module '../../platform/config/config.js' {
  interface Config extends SettingsOf<typeof settings> {}
}

/** The page calls the routes of the users room: a person registers there. */
@Module({ imports: [PagesModule, UsersModule], controllers: [PlaygroundController] })
export class PlaygroundModule implements OnModuleInit {
  constructor(
    private readonly home: HomePage,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onModuleInit(): void {
    if (this.config.PLAYGROUND) this.home.set(sharedBody(() => playgroundPage(this.config)));
  }
}
