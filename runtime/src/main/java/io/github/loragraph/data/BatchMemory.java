package io.github.loragraph.data;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The memory of the batches of one source: as many sets of buffers as batches are open at once, a
 * buffer for each tensor. A set that was given back is lent again, so that nothing is allocated for
 * a batch once there are as many sets as are needed and all are as large as the largest batch.
 */
final class BatchMemory {
  private final Deque<Map<String, ByteBuffer>> free = new ArrayDeque<>();

  /** Lends a set that nobody else has. */
  synchronized Loan lend() {
    Map<String, ByteBuffer> buffers = free.poll();
    return new Loan(buffers == null ? new HashMap<>() : buffers);
  }

  private synchronized void takeBack(Map<String, ByteBuffer> buffers) {
    free.push(buffers);
  }

  /** One set of buffers, the borrower's own until it is closed. */
  final class Loan implements HostTensor.Owner, AutoCloseable {
    /** Null once it is closed. */
    private @Nullable Map<String, ByteBuffer> buffers;

    private Loan(Map<String, ByteBuffer> buffers) {
      this.buffers = buffers;
    }

    /** A direct buffer in native order for a tensor; what is in it is of an earlier batch. */
    ByteBuffer buffer(String tensor, int bytes) {
      Map<String, ByteBuffer> open = open();
      ByteBuffer known = open.get(tensor);
      if (known == null || known.capacity() < bytes) {
        known = ByteBuffer.allocateDirect(bytes + bytes / 2);
        open.put(tensor, known);
      }
      return known.duplicate().order(ByteOrder.nativeOrder()).clear();
    }

    private Map<String, ByteBuffer> open() {
      if (buffers == null) {
        throw new IllegalStateException("the batch is closed: its memory may be another's by now");
      }
      return buffers;
    }

    @Override
    public void requireOpen() {
      open();
    }

    @Override
    public void close() {
      if (buffers != null) {
        takeBack(buffers);
        buffers = null;
      }
    }
  }
}
