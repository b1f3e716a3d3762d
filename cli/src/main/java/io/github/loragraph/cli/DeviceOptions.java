package io.github.loragraph.cli;

import io.github.loragraph.InferenceArguments;
import io.github.loragraph.cuda.Cuda;
import io.github.loragraph.engine.EngineKind;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.ort.Device;
import io.github.loragraph.ort.DeviceChoice;
import io.github.loragraph.ort.GpuKernels;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.Sessions;
import java.util.AbstractList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Where a command computes. */
final class DeviceOptions {
  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      defaultValue = "auto",
      converter = Converter.class,
      completionCandidates = Names.class,
      description =
          "cpu, cuda (the first GPU), cuda:N, or auto: a GPU if one can be used (default:"
              + " ${DEFAULT-VALUE}; 'lora-graph doctor' tells what there is).")
  private @Nullable Device asked; // null for auto

  @Option(
      names = "--tf32",
      negatable = true,
      defaultValue = "true",
      fallbackValue = "true",
      description =
          "On a GPU, round the factors of single-precision products to TensorFloat-32 (default:"
              + " yes).")
  private boolean tf32;

  @Option(
      names = "--deterministic",
      negatable = true,
      defaultValue = "true",
      fallbackValue = "true",
      description =
          "On a GPU, add in the same order each time, so that the same run has the same bytes;"
              + " training steps without are a tenth to a third shorter (default: yes).")
  private boolean deterministic;

  /** What a shell offers; which GPUs there are it does not know. */
  static final class Names extends AbstractList<String> {
    private static final List<String> NAMES = List.of("auto", "cpu", "cuda");

    @Override
    public String get(int index) {
      return NAMES.get(index);
    }

    @Override
    public int size() {
      return NAMES.size();
    }
  }

  /** Reads a device; null for {@code auto}. */
  static final class Converter implements ITypeConverter<Device> {
    @Override
    public @Nullable Device convert(String value) {
      if (value.equals("auto")) {
        return null;
      }
      try {
        return Device.parse(value);
      } catch (LoraGraphException e) {
        throw new TypeConversionException(AdviceText.message(e) + ", or auto");
      }
    }
  }

  boolean tf32() {
    return tf32;
  }

  boolean deterministic() {
    return deterministic;
  }

  /** The device that was asked for, as the library has it. */
  io.github.loragraph.Device asked() {
    return io.github.loragraph.Device.parse(asked == null ? "auto" : asked.toString());
  }

  /** How a model is run, by these options. */
  InferenceArguments.Builder inference(ThreadsOption threads) {
    return InferenceArguments.builder()
        .device(asked())
        .threads(threads.count())
        .tf32(tf32)
        .deterministic(deterministic);
  }

  /**
   * Chooses the device.
   *
   * @throws LoraGraphException if a GPU was asked for that cannot be used
   */
  private DeviceChoice choose() {
    if (Device.CPU.equals(asked)) {
      return new DeviceChoice(Device.CPU, "");
    }
    Cuda cuda = Cuda.ofThisMachine();
    DeviceChoice choice = DeviceChoice.of(Optional.ofNullable(asked), cuda);
    return !choice.device().isGpu() && cuda.lacksBuildAlone()
        ? new DeviceChoice(choice.device(), AdviceText.missing(cuda))
        : choice;
  }

  /**
   * The same for an engine: the training API runs on the CPU alone, so nothing else is looked for.
   */
  DeviceChoice choose(EngineKind engine) {
    return engine == EngineKind.TRAINING_API && asked == null
        ? new DeviceChoice(Device.CPU, "the training API runs there")
        : choose();
  }

  /** Sessions on a device that the build of ONNX Runtime computes on. */
  Sessions sessions(OrtRuntime runtime, ThreadsOption threads, Device device) {
    return new Sessions(runtime, threads.count()).on(device, new GpuKernels(tf32, deterministic));
  }
}
