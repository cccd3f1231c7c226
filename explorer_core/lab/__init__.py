"""The vanishing lab: small networks learn a task with a chosen lag, side by side, and their gradients are measured."""
