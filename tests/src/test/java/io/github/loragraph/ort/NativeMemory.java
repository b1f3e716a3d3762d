package io.github.loragraph.ort;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.function.Executable;

/** Holds work to closing all that it opened. */
public final class NativeMemory {
  private NativeMemory() {}

  /** Does work that opens sessions, tensors or tokenizers; fails where one of them is left open. */
  public static void assertAllClosed(Executable work) throws Throwable {
    try (NativeOwners.Watch watch = NativeOwners.watch()) {
      work.execute();
      assertTrue(watch.made() > 0, "nothing was opened: the test tests nothing");
      assertEquals(List.of(), watch.open());
    }
  }

  /** The bytes of the weights that were copied for sessions that are open. */
  public static long bytesOfSharedWeights() {
    return WeightCopies.bytesInUse();
  }

  /** What is left open by work. */
  public static List<String> leftOpenBy(Executable work) throws Throwable {
    try (NativeOwners.Watch watch = NativeOwners.watch()) {
      work.execute();
      return watch.open();
    }
  }
}
