package io.github.loragraph.data;

import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.RandomAccess;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Examples in mapped files: each is made when it is asked for, and waited for where it is not
 * encoded yet. Their targets are there from the beginning. Immutable, as far as one can see.
 */
public final class StoredExamples extends AbstractList<Example> implements RandomAccess {
  private final ExampleStore store;

  /** Null where all rows are encoded. */
  private final @Nullable AheadEncoder encoder;

  /** Rows of the store; null for all as they are. */
  private final int @Nullable [] selection;

  /** What comes after those of the store. */
  private final List<Example> more;

  StoredExamples(
      ExampleStore store,
      @Nullable AheadEncoder encoder,
      int @Nullable [] selection,
      List<Example> more) {
    this.store = store;
    this.encoder = encoder;
    this.selection = selection;
    this.more = List.copyOf(more);
  }

  private int stored() {
    return selection == null ? store.rows() : selection.length;
  }

  private int row(int index) {
    return selection == null ? index : selection[index];
  }

  @Override
  public int size() {
    return stored() + more.size();
  }

  @Override
  public Example get(int index) {
    Objects.checkIndex(index, size());
    if (index >= stored()) {
      return more.get(index - stored());
    }
    int row = row(index);
    if (encoder != null) {
      encoder.require(row);
    }
    return store.example(row);
  }

  int lineOf(int index) {
    return store.line(row(index));
  }

  /** Whether all of some examples are there, so that nothing of them is waited for. */
  public static boolean areReady(List<Example> examples) {
    return !(examples instanceof StoredExamples stored)
        || stored.encoder == null
        || stored.encoder.isWhole();
  }

  /** The length of an example of some, without the example. */
  public static int length(List<Example> examples, int index) {
    if (examples instanceof StatedExamples stated) {
      return length(stated.without(), index);
    }
    return examples instanceof StoredExamples all && index < all.stored()
        ? all.lengthOfStored(index)
        : examples.get(index).length();
  }

  private int lengthOfStored(int index) {
    int row = row(index);
    if (encoder != null) {
      encoder.require(row);
    }
    return store.length(row);
  }

  /** The numbers of examples, those of long ones first, and as they are where they are equal. */
  public static int[] longestFirst(List<Example> examples) {
    if (examples instanceof StoredExamples stored && stored.encoder != null) {
      stored.require(IntStream.range(0, stored.stored()));
    }
    long[] keys = new long[examples.size()];
    for (int i = 0; i < keys.length; i++) {
      keys[i] = (long) -length(examples, i) << 32 | i;
    }
    Arrays.sort(keys);
    return Arrays.stream(keys).mapToInt(key -> (int) key).toArray();
  }

  /** Waits until some of the examples are encoded; those come first. */
  void require(IntStream indices) {
    if (encoder != null && !encoder.isWhole()) {
      encoder.require(indices.filter(index -> index < stored()).map(this::row).toArray());
    }
  }

  /** Says in which order examples will be asked for. */
  void plan(Iterator<int[]> indices) {
    if (encoder == null || encoder.isWhole()) {
      return;
    }
    encoder.plan(
        new Iterator<>() {
          @Override
          public boolean hasNext() {
            return indices.hasNext();
          }

          @Override
          public int[] next() {
            return IntStream.of(indices.next())
                .filter(index -> index < stored())
                .map(StoredExamples.this::row)
                .toArray();
          }
        });
  }

  /** Some of the examples, in the order of their numbers. */
  public StoredExamples select(int[] indices) {
    if (IntStream.of(indices).anyMatch(index -> index >= stored())) {
      throw new IllegalArgumentException("not of the store");
    }
    return new StoredExamples(
        store, encoder, IntStream.of(indices).map(this::row).toArray(), List.of());
  }

  /** The same with further ones after them. */
  StoredExamples with(List<Example> further) {
    List<Example> all = new ArrayList<>(more);
    all.addAll(further);
    return new StoredExamples(store, encoder, selection, all);
  }

  /**
   * Examples with their targets alone, for what asks for no more: nothing is waited for. Others are
   * given back as they are.
   */
  public static List<Example> targetsOf(List<Example> examples) {
    if (!(examples instanceof StoredExamples stored)) {
      return examples;
    }
    return new AbstractList<>() {
      @Override
      public Example get(int index) {
        return index < stored.stored()
            ? new Example(Map.of(), stored.store.target(stored.row(index)))
            : stored.more.get(index - stored.stored());
      }

      @Override
      public int size() {
        return stored.size();
      }
    };
  }

  /** Some of any examples by their numbers; a view where they are stored. */
  public static List<Example> selected(List<Example> examples, int[] indices) {
    return examples instanceof StoredExamples stored
        ? stored.select(indices)
        : IntStream.of(indices).mapToObj(examples::get).toList();
  }
}
