/** What takes training steps: a session over the step graph, or ONNX Runtime's training API. */
@NullMarked
package io.github.loragraph.engine;

import org.jspecify.annotations.NullMarked;
