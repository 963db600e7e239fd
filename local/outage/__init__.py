"""`make outage`: the stack with a fault, with the function's redelivery delays beside the old timing."""
