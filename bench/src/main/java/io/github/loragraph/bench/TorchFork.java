package io.github.loragraph.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.loragraph.cli.Timing;
import io.github.loragraph.lora.Method;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * A process that measures libtorch as {@code lora-graph benchmark} measures this program, by the
 * same words, and then what libtorch reaches in large products.
 */
@Command
public final class TorchFork implements Callable<Integer> {
  private static final String LIBRARY = "native/lib/pytorch.properties";
  private static final double RATE = 1e-5;
  private static final int WARM_UP = 3;

  @Parameters private Path model;

  @Option(names = "--method")
  private Method method;

  @Option(names = "--batch-size")
  private int batchSize;

  @Option(names = "--sequence")
  private int sequence;

  @Option(names = "--threads")
  private int threads;

  @Option(names = "--steps")
  private int steps;

  @Option(names = "--form")
  private TorchEncoder.Form form;

  @Option(names = "--frozen")
  private boolean frozen;

  /** Measures. */
  public static void main(String[] args) {
    CommandLine commandLine = new CommandLine(new TorchFork());
    commandLine.setCaseInsensitiveEnumValuesAllowed(true);
    commandLine.setExecutionExceptionHandler(
        (failure, at, parsed) -> {
          // The last line is what the parent tells.
          at.getErr().println(failure);
          return CommandLine.ExitCode.SOFTWARE;
        });
    System.exit(commandLine.execute(args));
  }

  /** Whether the class path has libtorch for this machine. */
  static boolean isThere() {
    return TorchFork.class.getClassLoader().getResource(LIBRARY) != null
        && System.getProperty("os.name").equals("Linux")
        && System.getProperty("os.arch").equals("amd64");
  }

  private TorchEncoder encoder() {
    return new TorchEncoder(model, form, method, frozen, RATE);
  }

  @Override
  public Integer call() throws IOException {
    TorchEncoder.threads(threads);
    TokenBatch batch = TokenBatch.random(batchSize, sequence);
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode result = mapper.createObjectNode();
    Timing step;
    try (TorchEncoder encoder = encoder()) {
      step = Timing.of(WARM_UP, steps, () -> encoder.step(batch));
      Measured.putStepsPeak(result);
    }
    // A graph that libtorch has compiled for training refuses to answer without gradients.
    try (TorchEncoder encoder = encoder()) {
      Measured.putTimes(result, step, Timing.of(WARM_UP, steps, () -> encoder.logits(batch)));
    }
    Measured.putPeak(result);
    Measured.putRate(result, ProductRate.best(TorchProduct::new));
    System.out.println(mapper.writeValueAsString(result));
    return CommandLine.ExitCode.OK;
  }
}
