/** A driver with something between it and core: the base of {@link faulty} and of drivers with planted defects. */
import type {
  ConsumerRequest,
  Driver,
  DriverConnection,
  DriverConsumer,
  DriverProducer,
  OpenContext,
  ProducerRequest,
  StreamerUri,
} from "@seaway/core/driver";
import { overriding } from "./overriding.ts";

/** What to put in between; what is left out stays as it is. Each gets the driver's object and gives the one that core will see. */
export interface Interception {
  /** Around opening; `open` is the driver's own. */
  open?(open: () => Promise<DriverConnection>, context: OpenContext, uri: StreamerUri): Promise<DriverConnection>;
  connection?(connection: DriverConnection): DriverConnection;
  producer?(producer: DriverProducer, request: ProducerRequest): DriverProducer;
  consumer?(consumer: DriverConsumer, request: ConsumerRequest): DriverConsumer;
}

/** A driver that behaves as `driver` does but for the interception. The driver itself is not changed. */
export function interceptDriver(driver: Driver, interception: Interception): Driver {
  return overriding(driver, {
    open: async (uri, context, call) => {
      const open = (): Promise<DriverConnection> => driver.open(uri, context, call);
      const opened = await (interception.open?.(open, context, uri) ?? open());
      const connection = overriding(opened, {
        openProducer: async (request, producerCall) => {
          const producer = await opened.openProducer(request, producerCall);
          return interception.producer?.(producer, request) ?? producer;
        },
        openConsumer: async (request, consumerCall) => {
          const consumer = await opened.openConsumer(request, consumerCall);
          return interception.consumer?.(consumer, request) ?? consumer;
        },
      });
      return interception.connection?.(connection) ?? connection;
    },
  });
}
