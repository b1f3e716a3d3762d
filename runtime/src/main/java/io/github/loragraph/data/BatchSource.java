package io.github.loragraph.data;

import io.github.loragraph.LoraGraphException;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.ValueInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Cuts examples into batches, each padded to its longest example. With shuffling, the order of an
 * epoch is drawn from seed and epoch; then windows of {@value #WINDOW} batches are sorted by
 * length, so that a batch has examples of about one length, and the batches are shuffled again.
 */
public final class BatchSource {
  private static final int WINDOW = 50;

  private final List<Example> examples;
  private final List<ValueInfo> inputs;
  private final ValueInfo labels;
  private final int batchSize;
  private final double padId;
  private final boolean shuffle;
  private final long seed;

  /**
   * @param labels declares the labels; null where batches get none
   * @param padId what fills up {@code input_ids}; all other inputs are filled up with 0
   * @param shuffle whether epochs are shuffled; else batches keep the order of the examples
   */
  public BatchSource(
      List<Example> examples,
      List<ValueInfo> inputs,
      ValueInfo labels,
      int batchSize,
      long padId,
      boolean shuffle,
      long seed) {
    this.examples = List.copyOf(examples);
    this.inputs = List.copyOf(inputs);
    this.labels = labels;
    this.batchSize = batchSize;
    this.padId = padId;
    this.shuffle = shuffle;
    this.seed = seed;
  }

  public int size() {
    return examples.size();
  }

  public long batchesPerEpoch() {
    return (examples.size() + batchSize - 1L) / batchSize;
  }

  /**
   * The batches of an epoch. A batch's memory is used again for the next one.
   *
   * @param epoch 0 for the first
   */
  public Iterator<Batch> epoch(long epoch) {
    List<List<Example>> order = shuffle ? shuffled(epoch) : cut(examples);
    Iterator<List<Example>> groups = order.iterator();
    Map<String, ByteBuffer> memory = new HashMap<>();
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return groups.hasNext();
      }

      @Override
      public Batch next() {
        return batch(groups.next(), memory);
      }
    };
  }

  private List<List<Example>> shuffled(long epoch) {
    SplittableRandom random = new SplittableRandom(seed * 0x9e3779b97f4a7c15L + epoch);
    List<Example> order = new ArrayList<>(examples);
    shuffle(order, random);
    List<List<Example>> batches = new ArrayList<>();
    int window = Math.multiplyExact(WINDOW, batchSize);
    for (int start = 0; start < order.size(); start += window) {
      List<Example> part =
          new ArrayList<>(order.subList(start, Math.min(order.size(), start + window)));
      part.sort(Comparator.comparingInt(Example::length));
      batches.addAll(cut(part));
    }
    shuffle(batches, random);
    return batches;
  }

  private static <T> void shuffle(List<T> list, SplittableRandom random) {
    for (int i = list.size() - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      T moved = list.get(i);
      list.set(i, list.get(j));
      list.set(j, moved);
    }
  }

  private List<List<Example>> cut(List<Example> part) {
    List<List<Example>> batches = new ArrayList<>();
    for (int start = 0; start < part.size(); start += batchSize) {
      batches.add(part.subList(start, Math.min(part.size(), start + batchSize)));
    }
    return batches;
  }

  private Batch batch(List<Example> group, Map<String, ByteBuffer> memory) {
    List<HostTensor> tensors = new ArrayList<>();
    for (ValueInfo input : inputs) {
      tensors.add(padded(input, group, memory));
    }
    return new Batch(tensors, labels == null ? null : labels(group, memory), group.size());
  }

  private HostTensor padded(ValueInfo input, List<Example> group, Map<String, ByteBuffer> memory) {
    String name = input.name();
    ElementType type = input.type().elementType();
    if (input.type().shape() != null && input.type().shape().rank() == 1) {
      ByteBuffer data = buffer(name, group.size() * type.bytes(), memory);
      group.forEach(e -> put(data, type, e.inputs().get(name)[0]));
      return new HostTensor(name, type, new long[] {group.size()}, data.flip());
    }
    int length = group.stream().mapToInt(e -> e.inputs().get(name).length).max().orElse(0);
    double filler = name.equals("input_ids") ? padId : 0;
    ByteBuffer data = buffer(name, group.size() * length * type.bytes(), memory);
    for (Example example : group) {
      double[] row = example.inputs().get(name);
      for (int i = 0; i < length; i++) {
        put(data, type, i < row.length ? row[i] : filler);
      }
    }
    return new HostTensor(name, type, new long[] {group.size(), length}, data.flip());
  }

  private HostTensor labels(List<Example> group, Map<String, ByteBuffer> memory) {
    ElementType type = labels.type().elementType();
    ByteBuffer data = buffer(labels.name(), group.size() * type.bytes(), memory);
    group.forEach(e -> put(data, type, e.label()));
    return new HostTensor(labels.name(), type, new long[] {group.size()}, data.flip());
  }

  private static void put(ByteBuffer data, ElementType type, double value) {
    switch (type) {
      case INT64 -> data.putLong((long) value);
      case INT32 -> data.putInt((int) value);
      case FLOAT -> data.putFloat((float) value);
      case DOUBLE -> data.putDouble(value);
      case BOOL -> data.put((byte) (value != 0 ? 1 : 0));
      default -> throw new LoraGraphException("inputs of type " + type + " are not supported");
    }
  }

  private static ByteBuffer buffer(String name, int bytes, Map<String, ByteBuffer> memory) {
    ByteBuffer known = memory.get(name);
    if (known == null || known.capacity() < bytes) {
      known = ByteBuffer.allocateDirect(bytes + bytes / 2).order(ByteOrder.nativeOrder());
      memory.put(name, known);
    }
    return known.duplicate().order(ByteOrder.nativeOrder()).clear();
  }
}
