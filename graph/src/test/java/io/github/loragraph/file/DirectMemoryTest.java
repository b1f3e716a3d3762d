package io.github.loragraph.file;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class DirectMemoryTest {
  private static final int SIZE = 32 << 20;
  private static final int BUFFERS = 8;

  private static long used() {
    return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
        .filter(pool -> pool.getName().equals("direct"))
        .mapToLong(BufferPoolMXBean::getMemoryUsed)
        .sum();
  }

  @Test
  void largeBuffersThatNobodyUsesAreNotHeaped() {
    long before = used();
    for (int i = 0; i < BUFFERS; i++) {
      assertTrue(DirectMemory.allocate(SIZE).capacity() == SIZE);
    }
    // Who frees them comes a little later than the collection.
    assertTrue(used() - before < (BUFFERS - 2L) * SIZE, used() - before + " bytes");
  }

  @Test
  void whatIsFreedIsGivenBackAtOnce() {
    ByteBuffer buffer = ByteBuffer.allocateDirect(SIZE);
    long before = used();
    DirectMemory.free(buffer);
    assertTrue(used() <= before - SIZE, before - used() + " bytes");
  }
}
