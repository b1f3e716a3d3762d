package io.github.loragraph;

import io.github.loragraph.cuda.Cuda;
import io.github.loragraph.engine.EngineKind;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.ort.DeviceChoice;
import io.github.loragraph.ort.GpuKernels;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.Sessions;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How a model is run: where, by how many threads, and on how much of a text. Immutable, made by a
 * {@link #builder()}.
 */
public final class InferenceArguments {
  /** The defaults. */
  public static final InferenceArguments DEFAULTS = builder().build();

  private final Device device;
  private final int threads;
  private final boolean tf32;
  private final boolean deterministic;
  private final @Nullable Integer maxLength;
  private final @Nullable Integer stride;
  private final @Nullable Task task;
  private final EmbeddingArguments embedding;

  private InferenceArguments(Builder builder) {
    device = builder.device;
    threads = builder.threads;
    tf32 = builder.tf32;
    deterministic = builder.deterministic;
    maxLength = builder.maxLength;
    stride = builder.stride;
    task = builder.task;
    embedding = builder.embedding;
  }

  /** Arguments with the defaults, which the setters name. */
  public static Builder builder() {
    return new Builder();
  }

  boolean tf32() {
    return tf32;
  }

  boolean deterministic() {
    return deterministic;
  }

  /** The number of threads that compute one operator. */
  int threads() {
    return threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
  }

  Optional<Integer> maxLength() {
    return Optional.ofNullable(maxLength);
  }

  /** On the same device, for an encoder that embeds in this way. */
  InferenceArguments embedding(EmbeddingArguments other, int tokens) {
    return builder()
        .device(device)
        .threads(threads)
        .tf32(tf32)
        .deterministic(deterministic)
        .maxLength(tokens)
        .embedding(other)
        .build();
  }

  /** How an encoder embeds, as far as it was said. */
  EmbeddingArguments embedding() {
    return embedding;
  }

  Optional<Integer> stride() {
    return Optional.ofNullable(stride);
  }

  Optional<Task> task() {
    return Optional.ofNullable(task);
  }

  /**
   * Refuses what counts for another task alone.
   *
   * @throws LoraGraphException if there is some of it
   */
  void refuseUnfitting(Task asked) {
    if (stride != null && !asked.equals(Task.TOKEN_CLASSIFICATION)) {
      throw new LoraGraphException(
          "windows that have tokens in common are of texts that are read by words (token-classification), and the task is %s"
              .formatted(asked));
    }
  }

  /**
   * Chooses the device.
   *
   * @throws LoraGraphException if a GPU was asked for that cannot be used
   */
  DeviceChoice choose() {
    if (device.equals(Device.CPU)) {
      return new DeviceChoice(io.github.loragraph.ort.Device.CPU, "");
    }
    DeviceChoice choice = DeviceChoice.of(device.asked(), Cuda.ofThisMachine());
    if (device.equals(Device.AUTO)
        && choice.device().isGpu()
        && !OrtRuntime.canOpen(OrtRuntime.Build.CUDA)) {
      return new DeviceChoice(
          io.github.loragraph.ort.Device.CPU,
          "the build of ONNX Runtime that is in use in this process has no GPU");
    }
    return choice;
  }

  /**
   * The same for an engine: the training API runs on the CPU alone, so nothing else is looked for.
   */
  DeviceChoice choose(EngineKind engine) {
    return engine == EngineKind.TRAINING_API && device.equals(Device.AUTO)
        ? new DeviceChoice(io.github.loragraph.ort.Device.CPU, "the training API runs there")
        : choose();
  }

  /** Loads the build of ONNX Runtime for the chosen device, where none is loaded. */
  void chooseRuntime() {
    OrtRuntime.on(choose().device());
  }

  /** Sessions on the chosen device; a GPU that was not asked for by name is mentioned. */
  Sessions sessions(Consumer<String> notes) {
    DeviceChoice choice = choose();
    if (device.equals(Device.AUTO) && choice.device().isGpu()) {
      notes.accept(choice.toString());
    }
    return sessions(OrtRuntime.on(choice.device()), choice.device());
  }

  /** Sessions on a device that the build of ONNX Runtime computes on. */
  Sessions sessions(OrtRuntime runtime, io.github.loragraph.ort.Device chosen) {
    return new Sessions(runtime, threads()).on(chosen, new GpuKernels(tf32, deterministic));
  }

  static void requireMaxLength(@Nullable Integer tokens) {
    if (tokens != null && tokens < 1) {
      throw new LoraGraphException(
          "a maximum length of %d tokens is not possible: give 1 or more".formatted(tokens));
    }
  }

  static void requireStride(@Nullable Integer tokens) {
    if (tokens != null && tokens < 0) {
      throw new LoraGraphException(
          "windows cannot have %d tokens in common: give 0 or more".formatted(tokens));
    }
  }

  /**
   * Builds {@link InferenceArguments}. Not for use by several threads. What is not set is left out:
   * none of the setters takes null.
   */
  public static final class Builder {
    private Device device = Device.AUTO;
    private int threads;
    private boolean tf32 = true;
    private boolean deterministic = true;
    private @Nullable Integer maxLength;
    private @Nullable Integer stride;
    private @Nullable Task task;
    private EmbeddingArguments embedding = EmbeddingArguments.AS_FOUND;

    private Builder() {}

    /** What computes; {@link Device#AUTO} unless set. */
    public Builder device(Device device) {
      this.device = Objects.requireNonNull(device, "device");
      return this;
    }

    /** Threads that compute one operator; 0, and unless set, one for each core. */
    public Builder threads(int threads) {
      this.threads = threads;
      return this;
    }

    /**
     * Whether a GPU may round the factors of single-precision products to TensorFloat-32; yes
     * unless set.
     */
    public Builder tf32(boolean tf32) {
      this.tf32 = tf32;
      return this;
    }

    /**
     * Whether a GPU adds in the same order each time, so that the same run has the same bytes; yes
     * unless set.
     */
    public Builder deterministic(boolean deterministic) {
      this.deterministic = deterministic;
      return this;
    }

    /**
     * Tokens of a text, longer ones are cut; as the model was trained unless set, else what it
     * takes, at most 512.
     */
    public Builder maxLength(int tokens) {
      this.maxLength = tokens;
      return this;
    }

    /** How an encoder embeds; as its run or the files beside it say unless set. */
    public Builder embedding(EmbeddingArguments embedding) {
      this.embedding = Objects.requireNonNull(embedding, "embedding");
      return this;
    }

    /**
     * Tokens that two windows of a text have in common that is longer than the maximum and is read
     * by words; a quarter of a window unless set.
     */
    public Builder stride(int tokens) {
      this.stride = tokens;
      return this;
    }

    /**
     * What the model answers; as it was trained unless set, else by its configuration or its
     * outputs.
     */
    public Builder task(Task task) {
      this.task = Objects.requireNonNull(task, "task");
      return this;
    }

    /**
     * The arguments.
     *
     * @throws LoraGraphException if a number is not possible
     */
    public InferenceArguments build() {
      Sessions.requireThreads(threads);
      requireMaxLength(maxLength);
      requireStride(stride);
      return new InferenceArguments(this);
    }
  }
}
