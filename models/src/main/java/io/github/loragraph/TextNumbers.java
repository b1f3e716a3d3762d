package io.github.loragraph;

/** A set of numbers of texts, each with what its first label is known by: 12 bytes and room. */
final class TextNumbers {
  static final int NEW = 0;
  static final int SAME = 1;
  static final int OTHER = 2;

  private long[] numbers = new long[1024];
  private int[] labels = new int[1024];
  private int size;

  /** Adds a text: whether it is new, or came before with this label, or with another. */
  int add(long number, int label) {
    if (size * 2 > numbers.length) {
      grow();
    }
    long key = number == 0 ? 1 : number;
    int place = place(key);
    if (numbers[place] == key) {
      return labels[place] == label ? SAME : OTHER;
    }
    numbers[place] = key;
    labels[place] = label;
    size++;
    return NEW;
  }

  boolean contains(long number) {
    long key = number == 0 ? 1 : number;
    return numbers[place(key)] == key;
  }

  private int place(long key) {
    int mask = numbers.length - 1;
    int place = (int) (key >>> 20) & mask;
    while (numbers[place] != 0 && numbers[place] != key) {
      place = (place + 1) & mask;
    }
    return place;
  }

  private void grow() {
    long[] before = numbers;
    int[] labelsBefore = labels;
    numbers = new long[before.length * 2];
    labels = new int[before.length * 2];
    for (int i = 0; i < before.length; i++) {
      if (before[i] != 0) {
        int place = place(before[i]);
        numbers[place] = before[i];
        labels[place] = labelsBefore[i];
      }
    }
  }
}
