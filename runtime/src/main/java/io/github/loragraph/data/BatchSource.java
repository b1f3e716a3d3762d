package io.github.loragraph.data;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.training.CrossEntropyLoss;
import java.nio.ByteBuffer;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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
  private static final String MASK = "attention_mask";

  private final List<Example> examples;

  /** What is shuffled and cut into batches: examples that belong together, or single ones. */
  private final Units units;

  private final List<ValueInfo> inputs;
  private final @Nullable ValueInfo labels;
  private final int batchSize;
  private final double padId;
  private final boolean shuffle;
  private final long seed;
  private final int multiple;
  private final int tokens;
  private final EpochView view;
  private final boolean together;

  /**
   * Whether the model is told what of a row is padding, so that its answer does not depend on it.
   */
  private final boolean masked;

  private final BatchMemory memory = new BatchMemory();
  private Padding padding = Padding.NONE;

  private BatchSource(Builder builder) {
    requireBatchSize(builder.batchSize);
    if (builder.padToMultipleOf < 1) {
      throw new IllegalArgumentException("not a length: " + builder.padToMultipleOf);
    }
    this.examples = builder.examples;
    this.units = Units.of(builder.examples, builder.together);
    this.inputs = builder.inputs;
    this.labels = builder.labels;
    this.batchSize = builder.batchSize;
    this.padId = builder.padId;
    this.shuffle = builder.shuffle;
    this.seed = builder.seed;
    this.multiple = builder.padToMultipleOf;
    this.view = builder.view;
    this.together = builder.together;
    this.masked = inputs.stream().anyMatch(input -> isNamed(input, MASK));
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
      boolean inFiles = examples instanceof StoredExamples || examples instanceof StatedExamples;
      this.examples = inFiles ? examples : List.copyOf(examples);
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

  /** That of all batches that it has made, for the thread that makes them. */
  public Padding padding() {
    return padding;
  }

  /**
   * Examples that come into one batch, in the order of the first of each.
   *
   * @param together whether those do whose targets begin with the same number; else each is alone
   */
  public static List<List<Example>> units(List<Example> examples, boolean together) {
    Units units = Units.of(examples, together);
    return new AbstractList<>() {
      @Override
      public List<Example> get(int unit) {
        return IntStream.range(0, units.sizeOf(unit))
            .mapToObj(j -> examples.get(units.index(unit, j)))
            .toList();
      }

      @Override
      public int size() {
        return units.size();
      }
    };
  }

  /**
   * Which examples belong together.
   *
   * @param begins where each unit's examples begin among the indices, and at the end their number;
   *     null where each is alone
   */
  private record Units(int count, int @Nullable [] begins, int[] indices) {
    static Units of(List<Example> examples, boolean together) {
      if (!together) {
        return new Units(examples.size(), null, new int[0]);
      }
      Map<Double, List<Integer>> units = new LinkedHashMap<>();
      for (int i = 0; i < examples.size(); i++) {
        double number = examples.get(i).requireTarget().get(0);
        units.computeIfAbsent(number, n -> new ArrayList<>()).add(i);
      }
      int[] begins = new int[units.size() + 1];
      int[] indices = new int[examples.size()];
      int unit = 0;
      int next = 0;
      for (List<Integer> members : units.values()) {
        for (int index : members) {
          indices[next++] = index;
        }
        begins[++unit] = next;
      }
      return new Units(units.size(), begins, indices);
    }

    int size() {
      return count;
    }

    int sizeOf(int unit) {
      return begins == null ? 1 : begins[unit + 1] - begins[unit];
    }

    int index(int unit, int member) {
      return begins == null ? unit : indices[begins[unit] + member];
    }
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
    return order(epoch, 0);
  }

  /**
   * The same for who begins later.
   *
   * @param from the first batch that will be asked for: examples that are still to be encoded are
   *     those of it first
   */
  public List<List<Example>> order(long epoch, int from) {
    Order order = drawn(epoch);
    if (examples instanceof StoredExamples stored) {
      stored.plan(order.windows(from));
    }
    return order;
  }

  private Order drawn(long epoch) {
    int[] order = IntStream.range(0, units.size()).toArray();
    if (!shuffle) {
      return new Order(epoch, order, new int[0]);
    }
    Random seeds = new Random(seed);
    for (long i = 0; i < epoch; i++) {
      seeds.nextLong();
    }
    Random random = new Random(seeds.nextLong());
    shuffle(order, random);
    int[] batches = IntStream.range(0, (int) batchesPerEpoch()).toArray();
    shuffle(batches, random);
    return new Order(epoch, order, batches);
  }

  /** What {@link Collections#shuffle(List, Random)} does to a list. */
  private static void shuffle(int[] numbers, Random random) {
    for (int i = numbers.length; i > 1; i--) {
      int other = random.nextInt(i);
      int last = numbers[i - 1];
      numbers[i - 1] = numbers[other];
      numbers[other] = last;
    }
  }

  /**
   * One epoch. The lengths of a window's examples are asked for when the first of its batches is:
   * of data that is still being encoded no more has to be there.
   */
  private final class Order extends AbstractList<List<Example>> {
    private final long epoch;

    /** Numbers of units; those of a window are sorted when it is first read. */
    private final int[] order;

    /** For each batch its place before batches were shuffled; empty where they are not. */
    private final int[] places;

    private final int size = Math.max(1, Math.min(batchSize, units.size()));
    private final BitSet sorted = new BitSet();

    Order(long epoch, int[] order, int[] places) {
      this.epoch = epoch;
      this.order = order;
      this.places = places;
    }

    @Override
    public List<Example> get(int batch) {
      Objects.checkIndex(batch, size());
      int place = batch;
      if (shuffle) {
        place = places[batch];
        sort(place / WINDOW);
      }
      List<Example> group = new ArrayList<>(size);
      int end = (int) Math.min(order.length, (place + 1L) * size);
      require(place * size, end);
      for (int i = place * size; i < end; i++) {
        for (int j = 0; j < units.sizeOf(order[i]); j++) {
          int index = units.index(order[i], j);
          group.add(view.at(epoch, index, examples.get(index)));
        }
      }
      return Collections.unmodifiableList(group);
    }

    @Override
    public int size() {
      return (int) batchesPerEpoch();
    }

    private void require(int begin, int end) {
      if (examples instanceof StoredExamples stored) {
        stored.require(indices(begin, end));
      }
    }

    private IntStream indices(int begin, int end) {
      return Arrays.stream(order, begin, end)
          .flatMap(unit -> IntStream.range(0, units.sizeOf(unit)).map(j -> units.index(unit, j)));
    }

    /**
     * The examples of each window, in the order in which windows are first read from a batch on.
     */
    Iterator<int[]> windows(int from) {
      long width = (long) WINDOW * size;
      return IntStream.range(from, size())
          .map(batch -> (shuffle ? places[batch] : batch) / WINDOW)
          .distinct()
          .mapToObj(
              window ->
                  indices(
                          (int) (window * width),
                          (int) Math.min(order.length, (window + 1) * width))
                      .toArray())
          .iterator();
    }

    private synchronized void sort(int window) {
      if (sorted.get(window)) {
        return;
      }
      long width = (long) WINDOW * size;
      int begin = (int) (window * width);
      int end = (int) Math.min(order.length, begin + width);
      require(begin, end);
      long[] keys = new long[end - begin];
      for (int i = begin; i < end; i++) {
        keys[i - begin] = (long) length(order[i]) << 32 | i;
      }
      // By length, and those of one length as they are.
      Arrays.sort(keys);
      int[] before = Arrays.copyOfRange(order, begin, end);
      for (int i = begin; i < end; i++) {
        order[i] = before[(int) keys[i - begin] - begin];
      }
      sorted.set(window);
    }
  }

  /** The examples of a batch, those in one list that have to stay in one batch. */
  public List<List<Example>> unitsOf(List<Example> batch) {
    return units(batch, together);
  }

  /** Tokens of one example in a batch, those counted that pad it; 0 where the model takes none. */
  public long tokensPerExample(List<Example> batch) {
    long all = 0;
    for (ValueInfo input : inputs) {
      if (isNamed(input, IDS)) {
        long own = 1;
        for (int size : paddedShape(input, batch, e -> e.inputs().get(input.name()))) {
          own *= size;
        }
        all += own;
      }
    }
    return all;
  }

  /**
   * The most tokens of what has to stay in one batch, those counted that pad it; 0 where the model
   * takes none.
   *
   * @throws IllegalStateException if examples are still to be encoded
   */
  public long mostTokens() {
    if (inputs.stream().noneMatch(input -> isNamed(input, IDS))) {
      return 0;
    }
    int largest = IntStream.range(0, units.size()).map(units::sizeOf).max().orElse(0);
    return largest * mostTokensPerExample();
  }

  /** Examples of files are not made for it: their lengths are known. */
  private long mostTokensPerExample() {
    if (!StoredExamples.areReady(examples)) {
      throw new IllegalStateException("examples are still to be encoded");
    }
    if (!(examples instanceof StoredExamples)) {
      return tokensPerExample(examples);
    }
    return tokens > 0
        ? tokens
        : IntStream.range(0, examples.size())
            .map(i -> StoredExamples.length(examples, i))
            .max()
            .orElse(0);
  }

  /** Whether an input is of some name, be it of one of several texts. */
  private static boolean isNamed(ValueInfo input, String name) {
    return input.name().equals(name) || input.name().endsWith("." + name);
  }

  private int length(int unit) {
    int length = 0;
    for (int j = 0; j < units.sizeOf(unit); j++) {
      length = Math.max(length, StoredExamples.length(examples, units.index(unit, j)));
    }
    return length;
  }

  /** Whether an example is one text, and not several of which each is padded by itself. */
  public boolean isOfOneText() {
    return inputs.stream().filter(input -> isNamed(input, IDS)).count() < 2;
  }

  /**
   * Tokens of all examples of a batch, those counted that pad them: 1 or more. Where what is
   * trained takes no tokens, those that the examples were made of.
   */
  public long tokens(List<Example> batch) {
    long ofOne = tokensPerExample(batch);
    if (ofOne == 0) {
      ofOne = batch.stream().mapToInt(Example::length).max().orElse(1);
    }
    return batch.size() * Math.max(1, ofOne);
  }

  /**
   * Tokens of one example in a piece of a batch, which is padded as {@link #batch(List, List)}
   * says.
   *
   * @param whole the batch that they are of
   */
  public long tokensPerExample(List<Example> group, List<Example> whole) {
    return tokensPerExample(masked ? group : whole);
  }

  /**
   * Pads examples to one batch, whose memory is its own until it is closed.
   *
   * @param group one or more
   */
  public Batch batch(List<Example> group) {
    return batch(group, group);
  }

  /**
   * The same for a piece of a batch. Where a model has no mask, its answers depend on the padding:
   * then the piece is padded as the whole batch would be.
   *
   * @param group one or more
   * @param whole the batch that they are of
   */
  public Batch batch(List<Example> group, List<Example> whole) {
    List<Example> like = masked ? group : whole;
    BatchMemory.Loan loan = memory.lend();
    try {
      List<HostTensor> tensors = new ArrayList<>();
      for (ValueInfo input : inputs) {
        boolean tokens = isNamed(input, IDS);
        double filler = tokens ? padId : 0;
        HostTensor tensor =
            tensor(input, group, like, e -> e.inputs().get(input.name()), filler, loan);
        if (tokens && !(examples instanceof StatedExamples)) {
          count(input.name(), group, tensor);
        }
        tensors.add(tensor);
      }
      if (examples instanceof StatedExamples) {
        count(group);
      }
      HostTensor targets =
          labels == null
              ? null
              : tensor(
                  labels, group, like, Example::requireTarget, CrossEntropyLoss.IGNORE_INDEX, loan);
      return new Batch(tensors, targets, group.size(), loan);
    } catch (RuntimeException e) {
      loan.close();
      throw e;
    }
  }

  /** Of examples whose tokens stay outside, since what they became goes in. */
  private void count(List<Example> group) {
    long longest = 0;
    long own = 0;
    for (Example example : group) {
      Values ids = example.inputs().get(IDS);
      long length = ids == null ? 0 : ids.count();
      longest = Math.max(longest, length);
      own += length;
    }
    long all = longest * group.size();
    padding = padding.plus(new Padding(all, all - own));
  }

  private void count(String ids, List<Example> group, HostTensor tensor) {
    long all = 1;
    for (long size : tensor.shape()) {
      all *= size;
    }
    long own = 0;
    for (Example example : group) {
      own += ownTokens(example, ids);
    }
    padding = padding.plus(new Padding(all, all - own));
  }

  /** Several texts of one example are as long as the longest of them: their mask says the rest. */
  private static long ownTokens(Example example, String ids) {
    Values values = Objects.requireNonNull(example.inputs().get(ids));
    String prefix = ids.substring(0, ids.length() - IDS.length());
    Values mask = values.rank() < 2 ? null : example.inputs().get(prefix + MASK);
    return mask == null
        ? values.count()
        : IntStream.range(0, mask.count()).filter(i -> mask.get(i) != 0).count();
  }

  private HostTensor tensor(
      ValueInfo declared,
      List<Example> group,
      List<Example> like,
      Function<Example, Values> part,
      double filler,
      BatchMemory.Loan loan) {
    ElementType type = declared.requireType().elementType();
    int[] padded = paddedShape(declared, like, part);
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
