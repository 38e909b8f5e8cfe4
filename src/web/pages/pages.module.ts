import { Module } from '@nestjs/common';
import { HomePage } from './home-page.js';
import { PagesController } from './pages.controller.js';

@Module({ controllers: [PagesController], providers: [HomePage], exports: [HomePage] })
export class PagesModule {}
