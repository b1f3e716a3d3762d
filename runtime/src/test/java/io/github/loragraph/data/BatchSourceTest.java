package io.github.loragraph.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Shape;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BatchSourceTest {
  private static final ValueInfo IDS =
      declared("input_ids", ElementType.INT64, "batch", "sequence");
  private static final ValueInfo MASK =
      declared("attention_mask", ElementType.INT32, "batch", "sequence");
  private static final ValueInfo LABELS = declared("labels", ElementType.INT64, "batch");

  @Test
  void batchesArePaddedToTheirLongestExample() {
    List<Example> examples =
        List.of(
            example(0, Values.of(5, 6, 7)), example(1, Values.of(8)), example(0, Values.of(9, 9)));
    BatchSource source =
        BatchSource.of(examples, List.of(IDS, MASK))
            .labels(LABELS)
            .batchSize(2)
            .padId(1)
            .shuffle(false)
            .build();
    Iterator<Batch> batches = source.epoch(0);
    Batch batch = batches.next();
    assertEquals(2, batch.examples());
    HostTensor ids = batch.inputs().get(0);
    assertArrayEquals(new long[] {2, 3}, ids.shape());
    assertArrayEquals(new double[] {5, 6, 7, 8, 1, 1}, numbers(ids));
    HostTensor mask = batch.inputs().get(1);
    assertEquals(ElementType.INT32, mask.type());
    assertArrayEquals(new double[] {1, 1, 1, 1, 0, 0}, numbers(mask));
    assertArrayEquals(new long[] {2}, batch.labels().shape());
    assertArrayEquals(new double[] {0, 1}, numbers(batch.labels()));
    assertTrue(ids.data().isDirect());
    assertSame(ByteOrder.nativeOrder(), ids.data().order());

    batch = batches.next();
    assertEquals(1, batch.examples());
    assertArrayEquals(new long[] {1, 2}, batch.inputs().get(0).shape());
    assertTrue(!batches.hasNext());
    assertNull(
        BatchSource.of(examples, List.of(IDS))
            .batchSize(3)
            .padId(1)
            .shuffle(false)
            .build()
            .epoch(0)
            .next()
            .labels());
  }

  @Test
  void lengthsMayBeRoundedUpOrFixed() {
    List<Example> examples = List.of(example(0, Values.of(5, 6, 7)));
    Batch batch =
        BatchSource.of(examples, List.of(IDS, MASK))
            .batchSize(1)
            .padId(1)
            .shuffle(false)
            .padToMultipleOf(8)
            .build()
            .epoch(0)
            .next();
    assertArrayEquals(new long[] {1, 8}, batch.inputs().get(0).shape());
    assertArrayEquals(new long[] {1, 8}, batch.inputs().get(1).shape());
    ValueInfo fixed = ValueInfo.of("input_ids", TensorType.of(ElementType.INT64, -1, 5));
    batch =
        BatchSource.of(examples, List.of(fixed))
            .batchSize(1)
            .padId(1)
            .shuffle(false)
            .build()
            .epoch(0)
            .next();
    assertArrayEquals(new double[] {5, 6, 7, 1, 1}, numbers(batch.inputs().get(0)));
  }

  @Test
  void numbersOfAnyShape() {
    ValueInfo pixels = declared("pixels", ElementType.FLOAT, "batch", "height", "width");
    ValueInfo age = declared("age", ElementType.FLOAT, "batch");
    ValueInfo tokens = declared("labels", ElementType.INT64, "batch", "sequence");
    List<Example> examples =
        List.of(
            new Example(
                Map.of(
                    "pixels",
                    Values.shaped(new float[] {1, 2, 3, 4}, 2, 2),
                    "age",
                    Values.scalar(7)),
                Values.of(1, 2)),
            new Example(
                Map.of(
                    "pixels", Values.shaped(new float[] {5, 6, 7}, 1, 3), "age", Values.scalar(8)),
                Values.of(3)));
    Batch batch =
        BatchSource.of(examples, List.of(pixels, age))
            .labels(tokens)
            .batchSize(2)
            .padId(1)
            .shuffle(false)
            .build()
            .epoch(0)
            .next();
    assertArrayEquals(new long[] {2, 2, 3}, batch.inputs().get(0).shape());
    assertArrayEquals(
        new double[] {1, 2, 0, 3, 4, 0, 5, 6, 7, 0, 0, 0}, numbers(batch.inputs().get(0)));
    assertArrayEquals(new double[] {7, 8}, numbers(batch.inputs().get(1)));
    assertArrayEquals(new double[] {1, 2, 3, -100}, numbers(batch.labels()));
  }

  @Test
  void anEpochHasEveryExampleOnce() {
    long seed = Long.getLong("test.seed", System.nanoTime());
    List<Example> examples = examples(1003, seed);
    BatchSource source = source(examples, 8, true, seed);
    assertEquals(126, source.batchesPerEpoch());
    for (int epoch = 0; epoch < 2; epoch++) {
      List<Integer> order = order(source, epoch);
      assertEquals(1003, order.size(), "seed " + seed);
      assertEquals(
          IntStream.range(0, 1003).boxed().toList(),
          order.stream().sorted().toList(),
          "seed " + seed);
    }
  }

  @Test
  void theOrderFollowsFromSeedAndEpoch() {
    List<Example> examples = examples(500, 3);
    BatchSource source = source(examples, 8, true, 5);
    List<Integer> third = order(source, 3);
    assertNotEquals(order(source, 0), third);
    assertEquals(third, order(source(examples, 8, true, 5), 3));
    assertNotEquals(third, order(source(examples, 8, true, 6), 3));
    assertEquals(IntStream.range(0, 500).boxed().toList(), order(source(examples, 8, false, 5), 3));
  }

  /** Whatever size is asked for, a batch has no more than all examples. */
  @ParameterizedTest
  @ValueSource(ints = {7, 50_000_000, Integer.MAX_VALUE})
  void aBatchLargerThanTheDataHasAllOfIt(int batchSize) {
    for (boolean shuffle : new boolean[] {true, false}) {
      BatchSource source = source(examples(7, 1), batchSize, shuffle, 5);
      assertEquals(1, source.batchesPerEpoch());
      assertEquals(1, source.order(0).size());
      assertEquals(7, order(source, 0).size());
    }
  }

  /** As documented, by java.util.Random and Collections.shuffle: the same on every Java. */
  @Test
  void theOrderStaysWhatItIs() {
    List<Example> examples = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      examples.add(example(i, Values.of(i)));
    }
    List<Integer> expected = new ArrayList<>(IntStream.range(0, 6).boxed().toList());
    Random seeds = new Random(42);
    seeds.nextLong();
    Random random = new Random(seeds.nextLong());
    java.util.Collections.shuffle(expected, random);
    List<List<Integer>> pairs = new ArrayList<>();
    for (int i = 0; i < 6; i += 2) {
      pairs.add(expected.subList(i, i + 2));
    }
    java.util.Collections.shuffle(pairs, random);
    assertEquals(
        pairs.stream().flatMap(List::stream).toList(), order(source(examples, 2, true, 42), 1));
  }

  @Test
  void examplesOfOneLengthComeTogether() {
    long seed = Long.getLong("test.seed", System.nanoTime());
    List<Example> examples = examples(4000, seed);
    long real = examples.stream().mapToLong(Example::length).sum();
    double byLength = (double) padded(source(examples, 16, true, seed)) / real;
    double inOrder = (double) padded(source(examples, 16, false, seed)) / real;
    assertTrue(byLength < 1.04, "seed %d: %.3f".formatted(seed, byLength));
    assertTrue(inOrder > 1.5, "seed %d: %.3f".formatted(seed, inOrder));
  }

  /** As many sets of buffers as batches are open: those that were closed are lent again. */
  @Test
  void memoryIsUsedAgainAfterItsBatchIsClosed() {
    List<Example> examples = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      examples.add(example(i, Values.zeros(60 - i / 4)));
    }
    BatchSource source = source(examples, 4, false, 0);
    int allocations = 0;
    for (int epoch = 0; epoch < 2; epoch++) {
      Iterator<Batch> batches = source.epoch(epoch);
      while (batches.hasNext()) {
        Deque<Batch> open = new ArrayDeque<>();
        while (batches.hasNext() && open.size() < 3) {
          open.add(batches.next());
          ByteBuffer data = open.getLast().inputs().get(0).data();
          ByteBuffer whole = data.duplicate().limit(data.capacity());
          // Behind the batch there is room that nobody writes to.
          allocations += whole.get(whole.limit() - 1) == 0 ? 1 : 0;
          whole.put(whole.limit() - 1, (byte) 1);
        }
        open.forEach(Batch::close);
      }
    }
    assertEquals(3, allocations);
  }

  @Test
  void anOpenBatchStaysAsItIs() {
    Iterator<Batch> batches = source(examples(20, 3), 2, false, 0).epoch(0);
    List<Batch> open = new ArrayList<>();
    batches.forEachRemaining(open::add);
    for (int i = 0; i < open.size(); i++) {
      assertArrayEquals(new double[] {2 * i, 2 * i + 1}, numbers(open.get(i).labels()));
    }
  }

  @Test
  void aClosedBatchIsNotRead() {
    Batch batch = source(examples(4, 0), 2, false, 0).epoch(0).next();
    HostTensor ids = batch.inputs().get(0);
    batch.close();
    batch.close();
    assertThrows(IllegalStateException.class, batch::inputs);
    assertThrows(IllegalStateException.class, batch::labels);
    assertThrows(IllegalStateException.class, batch::withLabels);
    assertThrows(IllegalStateException.class, ids::data);
    assertEquals(2, batch.examples());
  }

  @Test
  void aBatchHasAtLeastOneExample() {
    assertThrows(LoraGraphException.class, () -> source(examples(4, 0), 0, false, 0));
  }

  /** What the order is defined by, over lists: windows sorted by length, batches shuffled. */
  @Test
  void theOrderIsThatOfShuffledListsForAnySize() {
    long seed = Long.getLong("test.seed", System.nanoTime());
    Random random = new Random(seed);
    for (int round = 0; round < 200; round++) {
      int count = 1 + random.nextInt(round % 4 == 0 ? 3000 : 300);
      int batchSize = 1 + random.nextInt(random.nextBoolean() ? 4 : 400);
      int epoch = random.nextInt(4);
      boolean together = random.nextBoolean();
      List<Example> examples = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        int label = together ? random.nextInt(1 + count / 3) : i;
        examples.add(
            new Example(
                Map.of("input_ids", Values.zeros(1 + random.nextInt(9)), "place", Values.scalar(i)),
                Values.scalar(label)));
      }
      BatchSource source =
          BatchSource.of(examples, List.of(IDS))
              .batchSize(batchSize)
              .seed(seed + round)
              .together(together)
              .build();
      List<List<Example>> order = source.order(epoch);
      List<List<Example>> expected =
          orderOfLists(examples, batchSize, seed + round, epoch, together);
      assertEquals(expected.size(), order.size(), "seed %d, round %d".formatted(seed, round));
      // From the end, as a run reads that goes on in the middle of an epoch.
      for (int i = order.size() - 1; i >= 0; i--) {
        assertEquals(expected.get(i), order.get(i), "seed %d, round %d".formatted(seed, round));
      }
    }
  }

  private static List<List<Example>> orderOfLists(
      List<Example> examples, int batchSize, long seed, int epoch, boolean together) {
    Random seeds = new Random(seed);
    for (int i = 0; i < epoch; i++) {
      seeds.nextLong();
    }
    Random random = new Random(seeds.nextLong());
    List<List<Example>> units = new ArrayList<>();
    Map<Double, List<Example>> byNumber = new LinkedHashMap<>();
    for (Example example : examples) {
      List<Example> unit =
          together
              ? byNumber.computeIfAbsent(example.label(), n -> new ArrayList<>())
              : new ArrayList<>();
      if (unit.isEmpty()) {
        units.add(unit);
      }
      unit.add(example);
    }
    java.util.Collections.shuffle(units, random);
    List<List<Example>> batches = new ArrayList<>();
    int window = 50 * Math.min(batchSize, units.size());
    for (int start = 0; start < units.size(); start += window) {
      List<List<Example>> part =
          new ArrayList<>(units.subList(start, Math.min(units.size(), start + window)));
      part.sort(
          Comparator.comparingInt(
              unit -> unit.stream().mapToInt(Example::length).max().orElseThrow()));
      for (int i = 0; i < part.size(); i += batchSize) {
        batches.add(
            part.subList(i, Math.min(part.size(), i + batchSize)).stream()
                .flatMap(List::stream)
                .toList());
      }
    }
    java.util.Collections.shuffle(batches, random);
    return batches;
  }

  /** Examples of 1 to 60 tokens that can be told apart by their label. */
  private static List<Example> examples(int count, long seed) {
    Random random = new Random(seed);
    List<Example> examples = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      examples.add(example(i, Values.zeros(1 + random.nextInt(60))));
    }
    return examples;
  }

  private static Example example(int label, Values ids) {
    return new Example(
        Map.of("input_ids", ids, "attention_mask", Values.ones(ids.count())), Values.scalar(label));
  }

  private static BatchSource source(
      List<Example> examples, int batchSize, boolean shuffle, long seed) {
    return BatchSource.of(examples, List.of(IDS, MASK))
        .labels(LABELS)
        .batchSize(batchSize)
        .padId(1)
        .shuffle(shuffle)
        .seed(seed)
        .build();
  }

  private static List<Integer> order(BatchSource source, int epoch) {
    List<Integer> order = new ArrayList<>();
    source
        .epoch(epoch)
        .forEachRemaining(
            batch -> Arrays.stream(numbers(batch.labels())).forEach(l -> order.add((int) l)));
    return order;
  }

  private static long padded(BatchSource source) {
    long[] tokens = {0};
    source
        .epoch(0)
        .forEachRemaining(
            b -> tokens[0] += b.inputs().get(0).shape()[0] * b.inputs().get(0).shape()[1]);
    return tokens[0];
  }

  private static double[] numbers(HostTensor tensor) {
    ByteBuffer data = tensor.data();
    double[] numbers = new double[data.remaining() / tensor.type().bytes()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] =
          switch (tensor.type()) {
            case INT64 -> data.getLong(i * 8);
            case INT32 -> data.getInt(i * 4);
            default -> data.getFloat(i * 4);
          };
    }
    return numbers;
  }

  private static ValueInfo declared(String name, ElementType type, String... symbols) {
    return ValueInfo.of(
        name,
        new TensorType(
            type, new Shape(List.of(symbols).stream().map(Shape.Dimension::named).toList())));
  }
}
