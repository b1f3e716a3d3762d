package io.github.loragraph;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Spelling;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Adapters by their names, as many in memory as fit a limit; the one that was least recently used
 * goes first, and comes back from where it came from. Who has borrowed one keeps it to the end,
 * whatever becomes of its name meanwhile, and its memory goes with the last who has.
 */
final class AdapterShelf implements AutoCloseable {
  private final long limit;
  private final Map<String, Entry> entries = new HashMap<>();
  private long clock;
  private boolean closed;

  /**
   * @param limit in bytes, of the adapters that have a name; what is borrowed besides is not
   *     counted
   */
  AdapterShelf(long limit) {
    this.limit = limit;
  }

  /** What stands under a name. */
  private static final class Entry {
    /** Loads it anew; null where nobody can. */
    private final @Nullable Supplier<ServedAdapter> again;

    /** Held by whoever loads it anew. */
    private final Object loading = new Object();

    /** Null while it is not in memory. */
    private @Nullable Loan loan;

    private long lastUsed;

    Entry(@Nullable Supplier<ServedAdapter> again) {
      this.again = again;
    }
  }

  /** An adapter in memory, and how many have it. */
  static final class Loan {
    private final ServedAdapter adapter;
    private int borrowers;
    private boolean isGone;

    private Loan(ServedAdapter adapter) {
      this.adapter = adapter;
    }

    ServedAdapter adapter() {
      return adapter;
    }
  }

  /**
   * Puts an adapter under a name, in place of the one that has it.
   *
   * @param again loads it anew; null where nobody can
   * @throws LoraGraphException if it alone is larger than the limit
   */
  synchronized void put(
      String name, @Nullable Supplier<ServedAdapter> again, ServedAdapter adapter) {
    requireRoom(name, adapter);
    Entry entry = new Entry(again);
    Entry old = entries.put(name, entry);
    if (old != null) {
      takeOff(old);
    }
    stand(entry, adapter);
  }

  private void requireRoom(String name, ServedAdapter adapter) {
    if (adapter.bytes() > limit) {
      long bytes = adapter.bytes();
      adapter.close();
      throw new LoraGraphException(
          "the adapter '%s' has %,d bytes, and all adapters together may have %,d: raise the limit"
              .formatted(name, bytes, limit));
    }
  }

  private Loan stand(Entry entry, ServedAdapter adapter) {
    Loan loan = new Loan(adapter);
    entry.loan = loan;
    entry.lastUsed = ++clock;
    long bytes = bytes();
    List<Entry> oldest = new ArrayList<>(entries.values());
    oldest.sort(Comparator.comparingLong(e -> e.lastUsed));
    for (Entry other : oldest) {
      if (bytes > limit && other != entry && other.loan != null) {
        bytes -= other.loan.adapter.bytes();
        takeOff(other);
      }
    }
    return loan;
  }

  private static void takeOff(Entry entry) {
    Loan loan = entry.loan;
    entry.loan = null;
    if (loan != null) {
      loan.isGone = true;
      closeIfDone(loan);
    }
  }

  private static void closeIfDone(Loan loan) {
    if (loan.isGone && loan.borrowers == 0) {
      loan.adapter.close();
    }
  }

  /** The bytes of all that are in memory under their names. */
  synchronized long bytes() {
    return entries.values().stream()
        .mapToLong(e -> e.loan == null ? 0 : e.loan.adapter.bytes())
        .sum();
  }

  /** All names, those that are not in memory among them. */
  synchronized Set<String> names() {
    return new TreeSet<>(entries.keySet());
  }

  /** The names of those that are in memory. */
  synchronized Set<String> inMemory() {
    Set<String> names = new TreeSet<>();
    entries.forEach(
        (name, entry) -> {
          if (entry.loan != null) {
            names.add(name);
          }
        });
    return names;
  }

  /**
   * Takes a name away.
   *
   * @return whether it was there
   */
  synchronized boolean drop(String name) {
    Entry entry = entries.remove(name);
    if (entry != null) {
      takeOff(entry);
    }
    return entry != null;
  }

  /**
   * Borrows an adapter, which is loaded where it is not in memory; {@link #giveBack} has to follow.
   *
   * @throws LoraGraphException if there is none of the name, or it cannot be loaded
   * @throws IllegalStateException if this is closed
   */
  Loan borrow(String name) {
    while (true) {
      Entry entry = entry(name);
      Optional<Loan> loan = borrowed(name, entry, null);
      if (loan.isPresent()) {
        return loan.get();
      }
      synchronized (entry.loading) {
        loan = borrowed(name, entry, null);
        if (loan.isPresent()) {
          return loan.get();
        }
        if (entry.again == null) {
          throw new LoraGraphException(
              "the adapter '%s' had to make room, and nobody knows where it is: load it again, from a file or with a higher limit"
                  .formatted(name));
        }
        loan = borrowed(name, entry, entry.again.get());
        if (loan.isPresent()) {
          return loan.get();
        }
        // The name was taken away or given to another meanwhile.
      }
    }
  }

  private synchronized Entry entry(String name) {
    if (closed) {
      throw new IllegalStateException("the predictor is closed");
    }
    Entry entry = entries.get(name);
    if (entry == null) {
      List<String> nearest = Spelling.nearest(name, List.copyOf(names()));
      throw new LoraGraphException(
          "there is no adapter '%s'%s: load it first"
              .formatted(
                  name, nearest.isEmpty() ? "" : ", the nearest is '" + nearest.get(0) + "'"));
    }
    return entry;
  }

  /**
   * @param loaded what the entry gets; null to borrow what it has
   */
  private synchronized Optional<Loan> borrowed(
      String name, Entry entry, @Nullable ServedAdapter loaded) {
    if (loaded != null) {
      if (entries.get(name) != entry) {
        loaded.close();
        return Optional.empty();
      }
      requireRoom(name, loaded);
      stand(entry, loaded);
    }
    Loan loan = entry.loan;
    if (loan == null) {
      return Optional.empty();
    }
    entry.lastUsed = ++clock;
    loan.borrowers++;
    return Optional.of(loan);
  }

  synchronized void giveBack(Loan loan) {
    loan.borrowers--;
    closeIfDone(loan);
  }

  @Override
  public synchronized void close() {
    closed = true;
    entries.values().forEach(AdapterShelf::takeOff);
    entries.clear();
  }
}
