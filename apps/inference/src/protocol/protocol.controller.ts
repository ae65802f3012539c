import { DEFAULT_PHOTO_LIMITS } from '@caricature/faces';
import { Controller, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { Admission } from '../batching/admission.js';
import { readBody } from '../caricatures/request-body.js';
import { InferenceError } from '../inference.error.js';
import { ModelStore } from '../models/model.store.js';
import type { ServedModel } from '../models/served-model.js';
import { describeOutput, describeTensors, parseInferenceRequest } from './inference.schema.js';
import type { FaceTensor } from './inference.schema.js';

const MAX_FACES = 64;
const JSON_BYTES_HEADER = 'Inference-Header-Content-Length';

/** The Open Inference Protocol v2 with its binary tensor extension. A model is named `name` or `name@alias`. */
@Controller('v2')
export class ProtocolController {
  constructor(
    private readonly admission: Admission,
    private readonly models: ModelStore,
  ) {}

  @Get()
  server(): object {
    return { name: 'caricature', version: '2', extensions: ['binary_tensor_data'] };
  }

  @Get('models/:model')
  async metadata(@Param('model') name: string): Promise<object> {
    const { version, imageSize } = await this.models.getModel(name);
    return { name, versions: [version], platform: 'tensorflowjs_layers', ...describeTensors(imageSize) };
  }

  @Get('models/:model/ready')
  async ready(@Param('model') name: string): Promise<object> {
    await this.models.getModel(name);
    return { name, ready: true };
  }

  /** Face crops in, caricatures out. */
  @Post('models/:model/infer')
  @HttpCode(200)
  async infer(@Param('model') name: string, @Req() request: Request, @Res() response: Response): Promise<void> {
    await this.admission.admit(async () => {
      const body = await readBody(request, DEFAULT_PHOTO_LIMITS.maxBytes);
      const model = await this.models.getModel(name);
      response.locals['model'] = model.label;
      const input = parseInferenceRequest(body, jsonBytes(request, body), model.imageSize, MAX_FACES);
      const output = await model.use(() => drawAll(model, input));
      const described = describeOutput(output, input.count, model.imageSize, input.binaryOutput);
      const answer = { model_name: name, model_version: model.version, ...(input.id !== undefined && { id: input.id }), outputs: [described] };
      if (input.binaryOutput) sendBinary(response, answer, output);
      else response.json(answer);
    });
  }
}

async function drawAll(model: ServedModel, { faces, count }: FaceTensor): Promise<Uint8Array> {
  const bytes = faces.length / count;
  const each = Array.from({ length: count }, (_, index) => model.draw(faces.subarray(index * bytes, (index + 1) * bytes)));
  return Buffer.concat(await Promise.all(each));
}

function jsonBytes(request: Request, body: Buffer): number {
  const header = request.get(JSON_BYTES_HEADER);
  if (header === undefined) return body.length;
  const bytes = Number(header);
  if (Number.isInteger(bytes) && bytes >= 0 && bytes <= body.length) return bytes;
  throw new InferenceError('InvalidRequest', `${JSON_BYTES_HEADER} must be the number of JSON bytes that the body begins with.`);
}

function sendBinary(response: Response, answer: object, output: Uint8Array): void {
  const json = Buffer.from(JSON.stringify(answer));
  response.set(JSON_BYTES_HEADER, String(json.length)).type('application/octet-stream').send(Buffer.concat([json, output]));
}
