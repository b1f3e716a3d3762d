package io.github.loragraph.data;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.training.CrossEntropyLoss;
import java.nio.ByteBuffer;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Cuts examples into batches, each padded to its longest example. With shuffling, the order of an
 * epoch is drawn from seed and epoch; then windows of {@value #WINDOW} batches are sorted by
 * length, so that a batch has examples of about one length, and the batches are shuffled again.
 *
 * <p>The order is the same on every Java: epoch e, counted from 0, is shuffled twice by {@link
 * Collections#shuffle(List, Random)} with one {@link Random}, whose seed is the (e+1)-th {@code
 * nextLong()} of {@code new Random(seed)}.
 *
 * <p>Long because the order of examples, and what pads a batch, follow from each other.
 */
public final class BatchSource {
  /** Examples in a batch where nothing else is given. */
  public static final int BATCH_SIZE = 8;

  private static final int WINDOW = 50;
  private static final String IDS = "input_ids";

  private final List<Example> examples;

  /** What is shuffled and cut into batches: examples that belong together, or single ones. */
  private final List<List<Integer>> units;

  private final List<ValueInfo> inputs;
  private final @Nullable ValueInfo labels;
  private final int batchSize;
  private final double padId;
  private final boolean shuffle;
  private final long seed;
  private final int multiple;
  private final int tokens;
  private final EpochView view;
  private final BatchMemory memory = new BatchMemory();

  private BatchSource(Builder builder) {
    requireBatchSize(builder.batchSize);
    if (builder.padToMultipleOf < 1) {
      throw new IllegalArgumentException("not a length: " + builder.padToMultipleOf);
    }
    this.examples = builder.examples;
    this.units = indices(builder.examples, builder.together);
    this.inputs = builder.inputs;
    this.labels = builder.labels;
    this.batchSize = builder.batchSize;
    this.padId = builder.padId;
    this.shuffle = builder.shuffle;
    this.seed = builder.seed;
    this.multiple = builder.padToMultipleOf;
    this.view = builder.view;
    this.tokens = InputSizes.of(inputs).tokens();
  }

  /**
   * Batches with the usual settings: of {@value #BATCH_SIZE}, shuffled by the seed 0, without
   * labels, padded by the id 0.
   *
   * @param inputs what a batch consists of
   */
  public static Builder of(List<Example> examples, List<ValueInfo> inputs) {
    return new Builder(examples, inputs);
  }

  /** What batches are to be like. */
  public static final class Builder {
    private final List<Example> examples;
    private final List<ValueInfo> inputs;
    private @Nullable ValueInfo labels;
    private int batchSize = BATCH_SIZE;
    private long padId;
    private boolean shuffle = true;
    private long seed;
    private int padToMultipleOf = 1;
    private EpochView view = EpochView.SAME;
    private boolean together;

    private Builder(List<Example> examples, List<ValueInfo> inputs) {
      this.examples = List.copyOf(examples);
      this.inputs = List.copyOf(inputs);
    }

    /**
     * @param labels declares the labels; null where batches get none
     */
    public Builder labels(@Nullable ValueInfo labels) {
      this.labels = labels;
      return this;
    }

    /** Examples in a batch; the last one of an epoch may have fewer. */
    public Builder batchSize(int batchSize) {
      this.batchSize = batchSize;
      return this;
    }

    /**
     * What fills up {@code input_ids}; all other inputs are filled up with 0, labels of tokens with
     * {@value CrossEntropyLoss#IGNORE_INDEX}.
     */
    public Builder padId(long padId) {
      this.padId = padId;
      return this;
    }

    /** Whether epochs are shuffled; else batches keep the order of the examples. */
    public Builder shuffle(boolean shuffle) {
      this.shuffle = shuffle;
      return this;
    }

    /** Decides the order of shuffled epochs. */
    public Builder seed(long seed) {
      this.seed = seed;
      return this;
    }

    /** What the examples are in each epoch; the same in all unless told otherwise. */
    public Builder view(EpochView view) {
      this.view = view;
      return this;
    }

    /** Rows of tokens are padded to a multiple of this length. */
    public Builder padToMultipleOf(int length) {
      this.padToMultipleOf = length;
      return this;
    }

    /**
     * Whether examples whose targets begin with the same number come into one batch, where they
     * count as one.
     */
    public Builder together(boolean together) {
      this.together = together;
      return this;
    }

    /**
     * @throws LoraGraphException if the batch size is below 1
     */
    public BatchSource build() {
      return new BatchSource(this);
    }
  }

  /**
   * Refuses a batch size before any work is done.
   *
   * @throws LoraGraphException if it is below 1
   */
  public static void requireBatchSize(int batchSize) {
    if (batchSize < 1) {
      throw new LoraGraphException(
          "a batch size of " + batchSize + " is not possible: give 1 or more");
    }
  }

  /** The number of examples; what belongs together is one. */
  public int size() {
    return units.size();
  }

  public long batchesPerEpoch() {
    return batchesPerEpoch(units.size(), batchSize);
  }

  /**
   * Examples that come into one batch, in the order of the first of each.
   *
   * @param together whether those do whose targets begin with the same number; else each is alone
   */
  public static List<List<Example>> units(List<Example> examples, boolean together) {
    return indices(examples, together).stream()
        .map(unit -> unit.stream().map(examples::get).toList())
        .toList();
  }

  private static List<List<Integer>> indices(List<Example> examples, boolean together) {
    if (!together) {
      return IntStream.range(0, examples.size()).mapToObj(List::of).toList();
    }
    Map<Double, List<Integer>> units = new LinkedHashMap<>();
    for (int i = 0; i < examples.size(); i++) {
      double number = examples.get(i).requireTarget().get(0);
      units.computeIfAbsent(number, n -> new ArrayList<>()).add(i);
    }
    return List.copyOf(units.values());
  }

  /** The batches of an epoch over so many examples. */
  public static long batchesPerEpoch(long examples, int batchSize) {
    return (examples + (batchSize - 1L)) / batchSize;
  }

  /**
   * The batches of an epoch. Each has memory of its own until it is closed, which is then lent to
   * later ones.
   *
   * @param epoch 0 for the first
   */
  public Iterator<Batch> epoch(long epoch) {
    Iterator<List<Example>> groups = order(epoch).iterator();
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return groups.hasNext();
      }

      @Override
      public Batch next() {
        return batch(groups.next());
      }
    };
  }

  /**
   * The examples of each batch of an epoch, as they are in it. A batch is made when it is asked
   * for, each time anew.
   *
   * @param epoch 0 for the first
   */
  public List<List<Example>> order(long epoch) {
    List<List<Integer>> batches = shuffle ? shuffled(epoch) : cut(units);
    return new AbstractList<>() {
      @Override
      public List<Example> get(int batch) {
        return batches.get(batch).stream()
            .map(index -> view.at(epoch, index, examples.get(index)))
            .toList();
      }

      @Override
      public int size() {
        return batches.size();
      }
    };
  }

  /** Indices of examples. */
  private List<List<Integer>> shuffled(long epoch) {
    Random seeds = new Random(seed);
    for (long i = 0; i < epoch; i++) {
      seeds.nextLong();
    }
    Random random = new Random(seeds.nextLong());
    List<List<Integer>> order = new ArrayList<>(units);
    Collections.shuffle(order, random);
    List<List<Integer>> batches = new ArrayList<>();
    int size = Math.max(1, Math.min(batchSize, order.size()));
    long window = (long) WINDOW * size;
    for (long start = 0; start < order.size(); start += window) {
      int end = (int) Math.min(order.size(), start + window);
      List<List<Integer>> part = new ArrayList<>(order.subList((int) start, end));
      part.sort(Comparator.comparingInt(this::length));
      batches.addAll(cut(part));
    }
    Collections.shuffle(batches, random);
    return batches;
  }

  private int length(List<Integer> unit) {
    int length = 0;
    for (int index : unit) {
      length = Math.max(length, examples.get(index).length());
    }
    return length;
  }

  private List<List<Integer>> cut(List<List<Integer>> part) {
    List<List<Integer>> batches = new ArrayList<>();
    for (long start = 0; start < part.size(); start += batchSize) {
      int end = (int) Math.min(part.size(), start + batchSize);
      batches.add(part.subList((int) start, end).stream().flatMap(List::stream).toList());
    }
    return batches;
  }

  /**
   * Pads examples to one batch, whose memory is its own until it is closed.
   *
   * @param group one or more
   */
  public Batch batch(List<Example> group) {
    BatchMemory.Loan loan = memory.lend();
    try {
      List<HostTensor> tensors = new ArrayList<>();
      for (ValueInfo input : inputs) {
        boolean tokens = input.name().equals(IDS) || input.name().endsWith("." + IDS);
        double filler = tokens ? padId : 0;
        tensors.add(tensor(input, group, e -> e.inputs().get(input.name()), filler, loan));
      }
      HostTensor targets =
          labels == null
              ? null
              : tensor(labels, group, Example::requireTarget, CrossEntropyLoss.IGNORE_INDEX, loan);
      return new Batch(tensors, targets, group.size(), loan);
    } catch (RuntimeException e) {
      loan.close();
      throw e;
    }
  }

  private HostTensor tensor(
      ValueInfo declared,
      List<Example> group,
      Function<Example, Values> part,
      double filler,
      BatchMemory.Loan loan) {
    ElementType type = declared.requireType().elementType();
    int[] padded = paddedShape(declared, group, part);
    long[] shape = new long[padded.length + 1];
    shape[0] = group.size();
    for (int axis = 0; axis < padded.length; axis++) {
      shape[axis + 1] = padded[axis];
    }
    ByteBuffer data =
        loan.buffer(declared.name(), HostTensor.byteCount(declared.name(), type, shape));
    for (Example example : group) {
      part.apply(example).append(data, type, filler, padded);
    }
    return new HostTensor(declared.name(), type, shape, data.flip(), loan);
  }

  /** For each axis the size that the model fixes, else the largest of the group. */
  private int[] paddedShape(
      ValueInfo declared, List<Example> group, Function<Example, Values> part) {
    Shape shape = declared.requireType().shape();
    int[] padded = new int[part.apply(group.get(0)).rank()];
    for (int axis = 0; axis < padded.length; axis++) {
      for (Example example : group) {
        padded[axis] = Math.max(padded[axis], part.apply(example).size(axis));
      }
      Shape.Dimension dimension =
          shape == null ? Shape.Dimension.unknown() : shape.dimension(axis + 1);
      if (dimension.isKnown()) {
        padded[axis] = Math.toIntExact(dimension.size());
      } else if (countsTokens(declared, dimension)) {
        padded[axis] =
            tokens > 0
                ? tokens
                : Math.multiplyExact((padded[axis] + multiple - 1) / multiple, multiple);
      }
    }
    return padded;
  }

  private boolean countsTokens(ValueInfo declared, Shape.Dimension dimension) {
    if (declared == labels || Tokenizer.INPUTS.contains(declared.name())) {
      return true;
    }
    for (ValueInfo input : inputs) {
      Shape shape = input.requireType().shape();
      if (Tokenizer.INPUTS.contains(input.name())
          && shape != null
          && shape.rank() > 1
          && shape.dimension(1).surelyEquals(dimension)) {
        return true;
      }
    }
    return false;
  }
}
